// expect: threw stack memory
JSON.parse('['.repeat(2e6))
