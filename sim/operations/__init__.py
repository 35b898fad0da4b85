"""The shop floor: what really happens to goods and people. Only this room touches both the world and the office."""
