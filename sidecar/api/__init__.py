"""The wire: one table of unary methods from bytes to bytes, and the transports that move them."""
