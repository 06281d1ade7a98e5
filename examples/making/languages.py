"""What is spoken on the island, and what goes with it, as therapists say of themselves."""

from typing import Final

OTHER_LANGUAGES: Final = {
    "vi": 0.05,
    "zh": 0.05,
    "tl": 0.04,
    "ar": 0.05,
    "fr": 0.05,
    "ht": 0.03,
    "pt": 0.04,
    "ru": 0.04,
    "ko": 0.03,
    "hi": 0.03,
    "pl": 0.02,
}
"""The share of therapists who speak each, besides English and Spanish."""

RARE: Final = {
    "ti": (21, 119),
    "am": (29, 88, 150),
    "so": (9, 71, 119, 177),
    "fa": (41, 96, 160),
    "uk": (23, 112, 190),
    "ase": (12, 60, 80, 143, 180),
}
"""Given out by number: Tigrinya, Amharic, Somali, Persian, Ukrainian, American Sign Language."""

CULTURES: Final = {
    "es": ("latino",),
    "vi": ("vietnamese",),
    "zh": ("chinese",),
    "tl": ("filipino",),
    "ar": ("arab",),
    "ht": ("haitian", "black"),
    "pt": ("brazilian",),
    "ru": ("eastern_european",),
    "uk": ("eastern_european",),
    "pl": ("eastern_european",),
    "ko": ("korean",),
    "hi": ("south_asian",),
    "ti": ("eritrean",),
    "am": ("ethiopian",),
    "so": ("somali",),
    "fa": ("iranian",),
    "ase": ("deaf",),
}

FAITHS: Final = ("christian", "christian", "christian", "muslim", "muslim", "jewish", "buddhist", "hindu")
