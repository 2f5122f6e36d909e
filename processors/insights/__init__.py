"""Insights: what could be done better, by comparisons that must hold before anything is said."""
