"""What a decision is: values in, values out. No I/O, no clock, no logging."""
