-- Each arm, day by day.
SELECT comparison, arm, CAST(day AS VARCHAR) AS day, count(*) AS n, sum(gross) AS gross, sum(net) AS net
FROM placed
WHERE unit <> 'none' AND day IS NOT NULL
GROUP BY comparison, arm, day
ORDER BY comparison, arm, day
