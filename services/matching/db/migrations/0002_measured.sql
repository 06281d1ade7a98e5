-- How many places there are and how many are taken, from the index alone.
create index therapist_places on therapist (places_total, places_taken) where active;
