"""Five regions named after rivers, on an island in mid-ocean where nobody lives, and six clinics."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Region:
    """So many of the 200 therapists work here; two rows of four postal areas, about 6 km apart."""

    code: str
    name: str
    latitude: float
    longitude: float
    therapists: int

    def area(self, number: int) -> str:
        return f"{self.code[:2].upper()}-{number:02d}"


REGIONS: Final = (
    Region("otter", "Otter Valley", 40.10, -30.90, 52),
    Region("heron", "Heron Bay", 40.40, -30.40, 46),
    Region("willow", "Willow Plain", 40.75, -30.95, 40),
    Region("salmon", "Salmon Falls", 41.00, -30.30, 34),
    Region("reed", "Reed Marsh", 41.30, -30.75, 28),
)
AREAS_PER_REGION: Final = 8


def areas() -> list[dict[str, str]]:
    """The rows of `areas.csv`."""
    return [
        {
            "area": region.area(number + 1),
            "latitude": f"{region.latitude + 0.055 * (number // 4):.4f}",
            "longitude": f"{region.longitude + 0.070 * (number % 4):.4f}",
        }
        for region in REGIONS
        for number in range(AREAS_PER_REGION)
    ]


@dataclass(frozen=True)
class Clinic:
    """A primary care clinic, who refers from there, and a phone number of the kind kept for fiction."""

    code: str
    name: str
    regions: tuple[str, ...]
    referrer: str
    role: str
    phone: str


CLINICS: Final = (
    Clinic(
        "clinic-riverside",
        "Riverside Family Practice",
        ("otter",),
        "Dr. Sam Sample",
        "family physician",
        "+1 555 0190",
    ),
    Clinic(
        "clinic-harbor",
        "Harbor Street Health Center",
        ("heron",),
        "Dr. Mia Muster",
        "family physician",
        "+1 555 0191",
    ),
    Clinic(
        "clinic-meadow",
        "Meadow Lane Clinic",
        ("willow",),
        "Noor Exemple, NP",
        "nurse practitioner",
        "+1 555 0192",
    ),
    Clinic(
        "clinic-mill", "Old Mill Surgery", ("salmon",), "Dr. Bo Beispiel", "family physician", "+1 555 0193"
    ),
    Clinic(
        "clinic-marsh",
        "Marsh Road Rural Clinic",
        ("reed",),
        "Dr. Ada Esempio",
        "family physician",
        "+1 555 0194",
    ),
    Clinic(
        "clinic-lantern",
        "Lantern School and Youth Health",
        ("otter", "heron", "willow"),
        "Kit Voorbeeld, RN",
        "school nurse",
        "+1 555 0195",
    ),
)
