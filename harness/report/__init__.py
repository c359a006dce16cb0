"""The report of runs: ``report.html`` and ``report.md`` with its pictures, from run folders."""
