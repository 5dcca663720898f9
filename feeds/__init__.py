"""Everything that comes from markets: file replays, the simulator, candles, the consolidated quote."""
