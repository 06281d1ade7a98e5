"""A network that is on no map: therapists, clinics, who is on call, and 60 people who do not exist."""
