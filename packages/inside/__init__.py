"""What is inside a file that we hold, for people who look: its tree, and the text of members."""
