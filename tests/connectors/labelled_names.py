"""Pairs of names with what they are: the same person written another way, another person, or two scripts. Made by rules, and by hand.

The rules are those of the people who write such names: Khmer in Latin letters has no one spelling, order and titles come and go, banks drop
accents, and two workers' names often differ in one letter. Every pair labelled `other` is two people for whom money must not be mixed up.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator

Pair = tuple[str, str, str]  # ours, the provider's, label: same, other, script

_KHMER = ("SOK", "CHAN", "LY", "HENG", "KEO", "CHEA", "NHEM", "PHAN", "ROS", "SENG", "TEP", "UNG", "VONG", "YIM", "MEAS", "KONG")
_GIVEN = (
    ("DARA", "DARY"), ("THIDA", "THEARY"), ("SOPHEA", "SOPHEAP"), ("CHANTHA", "CHANTHY"), ("SREYMOM", "SREYMAO"), ("BOPHA", "BOPHAL"),
    ("KUNTHEA", "KUNTHY"), ("RATANA", "RATANAK"), ("SOKHA", "SOKHOM"), ("VANNA", "VANNAK"), ("PISEY", "PISETH"), ("SREYNICH", "SREYNEANG"),
)  # fmt: skip
_KHMER_SCRIPT = (
    ("សុខ ដារ៉ា", "SOK DARA"), ("ចាន់ ធីតា", "CHAN THIDA"), ("លី សុភា", "LY SOPHEA"), ("ហេង ចន្ថា", "HENG CHANTHA"), ("កែវ បុប្ផា", "KEO BOPHA"),
    ("ជា វណ្ណា", "CHEA VANNA"), ("ស្រី មុំ", "SREY MOM"), ("មាស រតនា", "MEAS RATANA"), ("គង់ ពិសី", "KONG PISEY"), ("យឹម សុខា", "YIM SOKHA"),
)  # fmt: skip
_VIETNAMESE = (
    "Nguyễn Thị Hòa", "Trần Văn Minh", "Đỗ Thị Hà", "Phạm Thị Hồng", "Lê Văn Đức", "Võ Thị Mỹ Linh", "Bùi Quốc Huy", "Đặng Thị Lan",
)  # fmt: skip
_VIETNAMESE_OTHERS = (
    ("NGUYEN THI HOA", "NGUYEN THI HOAN"), ("Nguyễn Thị Hòa", "Nguyễn Thị Hóa"), ("TRAN VAN MINH", "TRAN VAN MINK"),
    ("Lê Văn Đức", "Lê Văn Dục"),
    ("PHAM THI HONG", "PHAM THI HUONG"), ("Đặng Thị Lan", "Đặng Thị Lân"), ("VO THI MY LINH", "VO THI MY LIEN"),
    ("Bùi Thị Nga", "Bùi Thị Ngà"),
)  # fmt: skip
_BANGLA = ("RAHIM UDDIN", "KARIM ULLAH", "FATEMA KHATUN", "SALMA BEGUM", "ABDUL MALEK", "NASRIN AKTER", "JAHANGIR ALAM", "ROKEYA SULTANA")
_BANGLA_OTHERS = (
    ("MD RAHIM UDDIN", "MD RAHIM"), ("MD RAHIM UDDIN", "RAHIM UDDIN"), ("FATEMA KHATUN", "FATIMA KHATUN"), ("SALMA BEGUM", "SELMA BEGUM"),
    ("NASRIN AKTER", "NASRIN AKHTAR"), ("ABDUL MALEK", "ABDUL MALIK"), ("KARIM ULLAH", "KARIM"), ("ROKEYA SULTANA", "ROKEYA BEGUM"),
)  # fmt: skip
_BANGLA_SCRIPT = (("রহিম উদ্দিন", "RAHIM UDDIN"), ("সালমা বেগম", "SALMA BEGUM"), ("ফাতেমা খাতুন", "FATEMA KHATUN"))
_TITLES = ("Mr", "Mrs.", "Ms", "Miss", "Dr.")
_BY_HAND: tuple[Pair, ...] = (
    ("CHAN THY", "CHAN THI", "other"), ("CHANTHY SOK", "CHAN THYSOK", "other"), ("SOK DARA", "SOK DARA DARA", "other"),
    ("SOK DARA", "SOKDARA CHAN", "other"), ("LY LY", "LY", "other"), ("SOK DARA", "SOK DARA 2", "other"), ("KEO", "KEO KEO", "other"),
    ("សុខ ដារា", "សុខ ដារី", "other"), ("ជា វណ្ណា", "ជា វណ្ណៈ", "other"), ("លី សុភា", "លី សុភាព", "other"), ("សុខដារា", "សុខ ដារា", "same"),
    ("លោកស្រី សុខ ដារា", "សុខ ដារា", "same"), ("O'BRIEN ANN", "OBRIEN ANN", "same"), ("José Ramos", "RAMOS JOSE", "same"),
    ("SОK DARA", "SOK DARA", "script"), ("陈大文", "CHAN TAI MAN", "script"), ("สุข ดารา", "SOK DARA", "script"),
)  # fmt: skip


def labelled() -> list[Pair]:
    """Every pair once, in a fixed order."""
    return list(dict.fromkeys((*_khmer(), *_scripts(), *_vietnamese(), *_bangla(), *_BY_HAND)))


def _khmer() -> Iterator[Pair]:
    for number, (family, (one, other)) in enumerate(itertools.product(_KHMER, _GIVEN)):
        name, title = f"{family} {one}", _TITLES[number % len(_TITLES)]
        yield name, f"{one} {family}".title(), "same"
        yield f"{title} {name.title()}", name, "same"
        yield name, f"{family} {other}", "other"
        yield name, f"{_KHMER[(_KHMER.index(family) + 1) % len(_KHMER)]} {one}", "other"


def _scripts() -> Iterator[Pair]:
    for (khmer, latin), (family, (given, _)) in itertools.product(_KHMER_SCRIPT, itertools.islice(zip(_KHMER, _GIVEN, strict=False), 4)):
        yield khmer, latin, "script"
        yield latin, khmer, "script"
        yield khmer, f"{family} {given}", "script"
    for bangla, latin in _BANGLA_SCRIPT:
        yield bangla, latin, "script"


def _vietnamese() -> Iterator[Pair]:
    for name in _VIETNAMESE:
        plain = "".join(letter for letter in unicodedata.normalize("NFD", name) if unicodedata.category(letter) != "Mn").translate(
            str.maketrans("Đđ", "Dd")
        )
        words = name.split()
        yield name, plain.upper(), "same"
        yield name, unicodedata.normalize("NFD", name), "same"
        yield name, " ".join([words[-1], *words[:-1]]), "same"
        for other in _VIETNAMESE:
            if other != name:
                yield name, other, "other"
    for one, other in _VIETNAMESE_OTHERS:
        yield one, other, "other"
        yield other, one, "other"


def _bangla() -> Iterator[Pair]:
    for name in _BANGLA:
        yield name, " ".join(reversed(name.split())).title(), "same"
        for other in _BANGLA:
            if other != name:
                yield name, other, "other"
    for one, other in _BANGLA_OTHERS:
        yield one, other, "other"
        yield other, one, "other"
