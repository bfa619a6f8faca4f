"""Tests of the repository itself: its laws, its budgets, its pages."""
