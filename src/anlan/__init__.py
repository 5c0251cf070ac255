"""Anlan (安澜, calm waters): count the people in any place, reach who needs help, resolve what is raised."""
