"""What `policy explain` tells: word by word, row by row, and the fact that is missing."""
