"""What things cost, as ratios measured side by side in one run: ``python -m benchmarks``. No test looks at a time."""
