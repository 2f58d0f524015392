"""What people look at: the findings of a day folded into few lines, the day's page, and the calendar of all days."""
