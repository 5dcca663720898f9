"""The deterministic core of Kerb: state and a command go in, events come out. No I/O, clock or randomness."""
