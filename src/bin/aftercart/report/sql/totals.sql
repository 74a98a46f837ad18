-- The page as a whole: what was decided, seen and done.
SELECT
  count(*) AS decisions,
  count(DISTINCT group_id) AS transactions,
  sum(CASE WHEN status = 'OK' THEN 1 ELSE 0 END) AS with_offers,
  sum(CASE WHEN status = 'NO_OFFER' THEN 1 ELSE 0 END) AS without_offer,
  sum(CASE WHEN status = 'HOLDOUT' THEN 1 ELSE 0 END) AS held_out,
  sum(CASE WHEN status = 'OK' THEN activated ELSE 0 END) AS pages,
  sum(CASE WHEN status = 'OK' THEN CAST(shown AS DOUBLE) ELSE 0 END) AS slots_filled,
  sum(CASE WHEN status <> 'HOLDOUT' THEN CAST(slots AS DOUBLE) ELSE 0 END) AS slots,
  sum(CASE WHEN status = 'OK' THEN engaged * activated ELSE 0 END) AS engaged,
  sum(CASE WHEN status = 'OK' THEN dismissed * activated ELSE 0 END) AS dismissed,
  sum(CASE WHEN status = 'OK' AND accepted > 0 THEN 1 ELSE 0 END) AS accepted,
  sum(CASE WHEN status = 'OK' AND converted > 0 THEN 1 ELSE 0 END) AS converted,
  sum(CASE WHEN status = 'OK' THEN failed ELSE 0 END) AS failed,
  sum(CASE WHEN status = 'OK' THEN page_gross ELSE 0 END) AS gross,
  sum(CASE WHEN status = 'OK' THEN returned ELSE 0 END) AS returned,
  sum(CASE WHEN degraded_search OR degraded_candidates THEN 1 ELSE 0 END) AS degraded,
  sum(CASE WHEN unit = 'none' THEN 1 ELSE 0 END) AS without_unit,
  min(day) AS first_day,
  max(day) AS last_day,
  min(currency) AS currency,
  count(DISTINCT currency) AS currencies
FROM outcomes
