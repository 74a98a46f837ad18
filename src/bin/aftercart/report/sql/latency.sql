-- How long decisions took, by the host's clock, from call to slate. Percentiles are of the decisions that were made: nearest rank.
SELECT
  CASE WHEN placement = '' THEN '(default)' ELSE placement END AS placement,
  index_generation,
  count(*) AS decisions,
  min(CASE WHEN nth * 100 >= n * 50 THEN took_us END) AS p50,
  min(CASE WHEN nth * 100 >= n * 95 THEN took_us END) AS p95,
  min(CASE WHEN nth * 100 >= n * 99 THEN took_us END) AS p99,
  max(took_us) AS slowest
FROM (
  SELECT
    placement, index_generation, took_us,
    row_number() OVER (PARTITION BY placement, index_generation ORDER BY took_us) AS nth,
    count(*) OVER (PARTITION BY placement, index_generation) AS n
  FROM decisions_once
  WHERE took_us IS NOT NULL
) AS timed
GROUP BY placement, index_generation
ORDER BY decisions DESC, placement, index_generation
