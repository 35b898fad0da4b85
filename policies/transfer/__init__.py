"""Policies that decide what goes from one store to another."""
