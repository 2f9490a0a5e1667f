-- Who took the meters and how often is asked on every page of the report, and among a year's events it is seldom told.
CREATE INDEX event_taken ON event (at_us) WHERE event = 'taken';
