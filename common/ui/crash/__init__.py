"""What happens when the program fails: a report and a dialog."""
