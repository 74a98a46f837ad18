-- Customers by arm, 30 and 90 days from their first order in the log on: who ordered again, and what they brought through pages and
-- later orders, less returns. Only customers whose days are over by the newest decision; those of sessions and orders cannot
-- be followed.
WITH entered AS (
  SELECT comparison, arm, unit_hash, min(at_utc) AS entered_at
  FROM placed
  WHERE unit = 'customer' AND at_utc IS NOT NULL
  GROUP BY comparison, arm, unit_hash
),
windows AS (
  SELECT 30 AS days, e.*, entered_at + INTERVAL '30' DAY AS until_at FROM entered AS e
  UNION ALL SELECT 90 AS days, e.*, entered_at + INTERVAL '90' DAY AS until_at FROM entered AS e
),
came AS (
  SELECT
    p.comparison, p.arm, p.unit_hash, e.at_utc,
    CASE WHEN e.event = 'ordered' THEN 1 ELSE 0 END AS again,
    CASE WHEN e.event = 'returned' THEN -1 ELSE 1 END * CAST(e.value AS DOUBLE) AS amount
  FROM events_once AS e
  JOIN decisions_once AS d ON d.decision_id = e.decision_id
  JOIN placed AS p ON p.group_id = d.group_id
  WHERE e.event IN ('converted', 'ordered', 'returned') AND p.unit = 'customer'
),
customers AS (
  SELECT
    w.comparison, w.arm, w.days, w.unit_hash,
    max(CASE WHEN w.until_at <= l.newest_at THEN 1 ELSE 0 END) AS is_over,
    max(coalesce(c.again, 0)) AS again,
    sum(coalesce(c.amount, 0)) AS amount
  FROM windows AS w
  CROSS JOIN (SELECT max(at_utc) AS newest_at FROM decisions_once) AS l
  LEFT JOIN came AS c
    ON c.comparison = w.comparison AND c.arm = w.arm AND c.unit_hash = w.unit_hash AND c.at_utc <= w.until_at
  GROUP BY w.comparison, w.arm, w.days, w.unit_hash
)
SELECT
  comparison, arm, days,
  count(*) AS customers,
  sum(is_over) AS units,
  sum(is_over * again) AS again,
  sum(is_over * amount) AS amount,
  sum(is_over * amount * amount) AS amount2
FROM customers
GROUP BY comparison, arm, days
ORDER BY comparison, days, arm
