-- Why candidates were refused, and why pages stayed empty.
SELECT what, code, sum(count) AS count, count(*) AS decisions
FROM (
  SELECT 'candidates' AS what, unnest(reason_codes) AS code, CAST(unnest(reason_counts) AS DOUBLE) AS count FROM decisions_once
  UNION ALL
  SELECT 'pages' AS what, reason AS code, CAST(1 AS DOUBLE) AS count FROM decisions_once WHERE status = 'NO_OFFER'
) AS refused
GROUP BY what, code
ORDER BY what, count DESC, code
