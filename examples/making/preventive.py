"""Little is asked for, early: groups and self-help before it becomes more."""

from typing import Final

from examples.making.scenario import Scenario, client, said, scenario, wish
from examples.making.sheets import gad7, phq9

PREVENTIVE: Final[tuple[Scenario, ...]] = (
    scenario(
        "stress-before-exams",
        "Exams in spring, sleeps badly before them",
        clinic="harbor",
        at_least="preventive",
        look_for="Everything known and nothing needed sooner: the next group intake.",
        client=client("Hugo Placeholder", 21, "heron", 1, sex="male"),
        problems=["stress"],
        screenings=[phq9(0, 0, 1, 1, 0, 0, 1, 0, 0, 0), gad7(1, 1, 0, 1, 0, 0, 0)],
        goals=[said("coping_skills"), said("work_or_study")],
        payer="commons_care",
    ),
    scenario(
        "stress-caring-for-father-spanish",
        "Cares for her father beside the job; the course should be in Spanish",
        clinic="meadow",
        at_least="preventive",
        look_for="A group or guided self-help in Spanish.",
        client=client("Ines Ejemplo", 49, "willow", 2, sex="female", gender="mujer", languages=["es"]),
        problems=["stress"],
        screenings=[phq9(0, 0, 1, 1, 1, 0, 0, 0, 0, language="es"), gad7(1, 0, 1, 1, 0, 0, 0, language="es")],
        goals=[said("coping_skills", "Aprender a descansar sin culpa.")],
        strengths=[said("faith_or_community"), said("problem_solving")],
        payer="public_plan",
    ),
    scenario(
        "wellbeing-new-in-town",
        "New in town, a bit lonely, otherwise well",
        clinic="riverside",
        at_least="preventive",
        look_for="Prevention is care too: peer support, no waiting behind illness.",
        client=client("Jonah Sample", 28, "otter", 6, sex="male", gender="man"),
        problems=["wellbeing"],
        screenings=[phq9(0, 1, 0, 1, 0, 0, 0, 0, 0, 0)],
        strengths=[said("physically_active"), said("creative", "Plays the accordion.")],
        preferences=[wish("modality", "peer_support"), wish("culture_familiarity", "lgbtq")],
        payer="harbor_mutual",
    ),
    scenario(
        "wellbeing-retired",
        "Retired in January and wants to do it well",
        clinic="marsh",
        at_least="preventive",
        look_for="At 66 as at 28; near home.",
        client=client("Klara Muster", 66, "reed", 3, sex="female"),
        problems=["wellbeing", "stress"],
        screenings=[phq9(0, 0, 1, 1, 0, 0, 0, 0, 0), gad7(0, 1, 0, 0, 0, 0, 0)],
        goals=[said("stay_well")],
        preferences=[wish("setting", "in_person"), wish("distance_km", 15)],
        payer="public_plan",
    ),
    scenario(
        "stress-shift-work",
        "Night shifts and a toddler",
        clinic="mill",
        at_least="preventive",
        look_for="Mornings only, as a wish: hours weigh, and nobody is turned away for them.",
        client=client("Leif Exemple", 35, "salmon", 7, sex="male"),
        problems=["stress"],
        screenings=[phq9(0, 0, 1, 2, 0, 0, 0, 0, 0), gad7(1, 1, 1, 0, 0, 1, 0)],
        preferences=[wish("hours", "mon-09", "mon-10", "wed-09", "wed-10")],
        payer="public_plan",
    ),
)
