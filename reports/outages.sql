-- Every outage that touches the window: contiguous time down, with its causes; seconds is what lies in the window.
-- The view outages has all there ever were; here the primary key leads to those of the window.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
SELECT o.processor, o.link, o.started, o.ended, o.started_us, o.ended_us,
       (min(coalesce(o.ended_us, :until_us), :until_us) - max(o.started_us, :since_us)) / 1e6 AS seconds,
       o.cause, o.causes
  FROM processor p CROSS JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k
 CROSS JOIN outages o ON o.processor = p.name AND o.link = k.link
 WHERE (:processor IS NULL OR p.name = :processor)
   -- What began before the last row that was not down is over before the window.
   AND o.started_us >= coalesce((SELECT l.started_us FROM link_state l
                                  WHERE l.processor_id = p.id AND l.link = k.link AND l.started_us <= :since_us
                                    AND l.state <> 'down' ORDER BY l.started_us DESC LIMIT 1), 0)
   AND o.started_us < :until_us
   AND coalesce(o.ended_us, :until_us) > max(o.started_us, :since_us)
 ORDER BY o.started_us, o.processor, o.link;
