"""The report: the page of a run, its summary in the terminal, and the words of both."""

from sim.report.page import write_report
from sim.report.terminal import print_replications, print_summary, progress_bar

__all__ = ["print_replications", "print_summary", "progress_bar", "write_report"]
