"""The spoke; Anaconda finds it by this directory."""
