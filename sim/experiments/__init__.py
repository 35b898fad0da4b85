"""The study, second part: orders runs and compares what they leave."""
