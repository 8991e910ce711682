"""Emails, phones, addresses, tax numbers and balances."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, cycle

from customers.management.people.names import HAUSA_SURNAMES, IGBO_SURNAMES, YORUBA_SURNAMES, Form
from customers.management.people.tables import SIZE, entries, table_of, weighted, zipf

# --- Email, phone, address, tax number, balance -------------------------------------------------

# Called with the given name, the surname and a number, as of a year of birth.
LOCAL_PARTS: list[Form] = table_of(
    (
        (lambda first, last, number: f"{first}.{last}", 25),
        (lambda first, last, number: f"{first}{last}", 19),
        (lambda first, last, number: f"{last}.{first}", 6),
        (lambda first, last, number: f"{last}{first}", 8),
        (lambda first, last, number: f"{first[0]}{last}", 4),
        (lambda first, last, number: f"{first[0]}.{last}", 2),
        (lambda first, last, number: f"{first}_{last}", 3),
        (lambda first, last, number: f"{first}{last[0]}{number}", 4),
        (lambda first, last, number: f"{first}{number}", 4),
        (lambda first, last, number: f"{first}{last}{number}", 12),
        (lambda first, last, number: f"{first}.{last}{number}", 6),
        (lambda first, last, number: f"{first}_{last}{number}", 4),
        (lambda first, last, number: f"{first[0]}{last}{number}", 3),
    )
)
NUMBERS = table_of(
    (
        *((f"{year % 100:02d}", 6) for year in range(1960, 2007)),
        *((str(year), 2) for year in range(1960, 2007)),
        *((str(number), 2) for number in range(1, 100)),
        *((number, 8) for number in ("001", "007", "01", "10", "100", "123", "247", "419")),
    )
)
DOMAINS = table_of(
    weighted("""
gmail.com 675; yahoo.com 155; hotmail.com 45; outlook.com 32; icloud.com 33; ymail.com 20;
yahoo.co.uk 25; live.com 8; protonmail.com 4; aol.com 3
""")
)

PREFIXES = table_of(
    zipf(
        entries("""
803; 806; 802; 805; 703; 706; 813; 816; 810; 814; 903; 906; 701; 708; 808; 812; 807; 815; 809;
817; 818; 909; 908; 705; 811; 905; 902; 913; 916; 704; 707; 912; 915
""")
    )
)
# Called with the prefix of a network and seven digits.
PHONE_FORMS: list[Callable[[str, str], str | None]] = table_of(
    (
        (lambda p, n: f"0{p}{n}", 34),
        (lambda p, n: f"0{p} {n[:3]} {n[3:]}", 20),
        (lambda p, n: f"+234{p}{n}", 12),
        (lambda p, n: f"+234 {p} {n[:3]} {n[3:]}", 9),
        (lambda p, n: f"234{p}{n}", 4),
        (lambda p, n: f"0{p}-{n[:3]}-{n[3:]}", 4),
        (lambda p, n: f"{p}{n}", 2),
        (lambda p, n: f"+234 (0) {p} {n[:3]} {n[3:]}", 1),
        (lambda p, n: f"(0{p}) {n}", 1),
        (lambda p, n: f"0{p}{n}, 0{p}{n[::-1]}", 1),
        (lambda p, n: f"00234{p}{n}", 1),
        (lambda p, n: f"01-{n}", 1),
        (lambda p, n: f"+44 7{p} {n[:6]}", 1),
        (lambda p, n: f"+1 {p} {n[:3]} {n[3:]}", 1),
        (lambda p, n: "n/a", 1),
        (lambda p, n: None, 7),
    )
)

COMMON_STREETS = entries("""
Ahmadu Bello Way; Market Road; Church Street; Hospital Road; Station Road; School Road; Mission
Road; Old Market Road; Nnamdi Azikiwe Road; Awolowo Road; Herbert Macaulay Street; Murtala
Mohammed Way; Independence Avenue; Airport Road
""")
# A city; its areas; its streets. Common first, as everywhere.
CITIES = """
Lagos: Ikeja; Lekki Phase 1; Victoria Island; Surulere; Yaba; Ikoyi; Ajah; Lagos Island; Apapa;
  Festac Town; Gbagada; Maryland; Oshodi; Mushin; Agege; Ikorodu; Alimosho; Ogba; Magodo; Isolo;
  Ojota; Epe; Badagry
: Allen Avenue; Adeola Odeku Street; Broad Street; Awolowo Way; Bode Thomas Street; Adetokunbo
  Ademola Street; Opebi Road; Toyin Street; Admiralty Way; Marina; Adeniran Ogunsanya Street;
  Ikorodu Road; Obafemi Awolowo Way; Akin Adesola Street; Kofo Abayomi Street; Oba Akran Avenue;
  Balogun Street; Idumota; Western Avenue; Bourdillon Road
Abuja: Wuse 2; Garki; Maitama; Gwarinpa; Asokoro; Kubwa; Utako; Jabi; Lugbe; Central Business
  District; Nyanya
: Aminu Kano Crescent; Adetokunbo Ademola Crescent; Gana Street; Tafawa Balewa Way; Ladoke
  Akintola Boulevard; Herbert Macaulay Way; Gimbiya Street; Constitution Avenue; Obafemi Awolowo
  Way; Yakubu Gowon Crescent
Kano: Sabon Gari; Nassarawa GRA; Fagge; Bompai; Gwale; Dala; Tarauni
: Zoo Road; Bompai Road; Ibrahim Taiwo Road; Audu Bako Way; France Road; Zaria Road; Kofar Mata
  Road; Hadejia Road
Port Harcourt: D-Line; GRA Phase 2; Rumuola; Trans Amadi; Diobu; Rumuokoro; Woji; Elelenwo
: Aba Road; Ikwerre Road; Olu Obasanjo Road; Trans Amadi Layout; Azikiwe Road; Ada George Road;
  Peter Odili Road
Ibadan: Bodija; Dugbe; Mokola; Ring Road; Challenge; Agodi GRA; Sango; Akobo; Oluyole Estate;
  Apata
: Iwo Road; Queen Elizabeth Road; Oyo Road; Liberty Road; Fajuyi Road; Lebanon Street; Osuntokun
  Avenue
Benin City: Ugbowo; GRA; Ikpoba Hill; Ekenwan; Sapele Road; Uselu
: Ring Road; Akpakpava Road; Sapele Road; Ugbowo-Lagos Road; Forestry Road; Airport Road;
  Sakponba Road; Siluko Road
Enugu: Independence Layout; New Haven; Ogui; Achara Layout; Trans-Ekulu; Uwani
: Ogui Road; Okpara Avenue; Zik Avenue; Chime Avenue; Agbani Road; Edinburgh Road; Abakaliki
  Road
Kaduna: Barnawa; Ungwan Rimi; Kakuri; Malali; Tudun Wada; Kawo
: Constitution Road; Yakubu Avenue; Kachia Road; Isa Kaita Road; Muhammadu Buhari Way; Junction
  Road; Waff Road
Onitsha, Anambra State: Fegge; Odoakpu; GRA; Main Market; Awada; Nkpor
: Old Market Road; New Market Road; Oguta Road; Awka Road; Upper Iweka Road; Modebe Avenue;
  Bright Street
Aba, Abia State: Ariaria; Ogbor Hill; Umungasi; Eziukwu
: Faulks Road; Azikiwe Road; Asa Road; Ngwa Road; Port Harcourt Road; Cemetery Road; Jubilee
  Road; Tenant Road
Abeokuta, Ogun State: Ibara; Kuto; Lafenwa; Oke-Ilewo; Asero
: Quarry Road; Lalubu Street; Presidential Boulevard; Sokenu Road; Ake Road; Adatan Road
Jos, Plateau State: Rayfield; Bukuru; Terminus; Angwan Rogo
: Murtala Mohammed Way; Zaria Road; Bauchi Road; Rwang Pam Street; Beach Road; Yakubu Gowon Way;
  Tafawa Balewa Street
Ilorin, Kwara State: GRA; Tanke; Fate; Sawmill; Adewole Estate
: Unity Road; Taiwo Road; Ibrahim Taiwo Road; Umaru Audi Road; Offa Garage Road; Asa Dam Road
Owerri, Imo State: Ikenegbu; New Owerri; Wetheral; Aladinma
: Wetheral Road; Douglas Road; Okigwe Road; Tetlow Road; Bank Road; Orlu Road; Egbu Road
Calabar, Cross River State: Calabar South; State Housing; Ekorinim; Big Qua Town
: Marian Road; Mary Slessor Avenue; Ndidem Usang Iso Road; MCC Road; Goldie Street; Etta Agbor
  Road; Bogobiri
Uyo, Akwa Ibom State: Ewet Housing; Itam; Shelter Afrique
: Oron Road; Aka Road; Abak Road; Ikot Ekpene Road; Nwaniba Road; Wellington Bassey Way; Udo
  Udoma Avenue
Warri, Delta State: Effurun; Enerhen; Ekpan; Okumagba Layout
: Effurun-Sapele Road; Warri-Sapele Road; Okumagba Avenue; Enerhen Road; Deco Road; Jakpa Road;
  Airport Road
Maiduguri, Borno State: GRA; Bulumkutu; Gwange; Bolori
: Baga Road; Sir Kashim Ibrahim Way; Bama Road; Shehu Laminu Way; Custom Road; Lagos Street
Sokoto: Runjin Sambo; Gwiwa Low-Cost; Mabera; Arkilla
: Sultan Abubakar Road; Maiduguri Road; Kano Road; Birnin Kebbi Road; Gusau Road; Emir Yahaya
  Road
Makurdi, Benue State: High Level; Wurukum; North Bank; Wadata
: Old Otukpo Road; JS Tarka Way; Gboko Road; Railway Bypass; Iyorchia Ayu Road; Kashim Ibrahim
  Road
Yenagoa, Bayelsa State: Amarata; Ekeki; Kpansia; Opolo
: Mbiama-Yenagoa Road; Isaac Boro Expressway; Sani Abacha Expressway; Azikoro Road; Imgbi Road
Akure, Ondo State: Alagbaka; Ijapo Estate; Oke-Aro
: Oba Adesida Road; Oyemekun Road; Arakale Road; Ondo Road; Hospital Road; Ijapo Road
"""
KINDS = ("Street", "Close", "Crescent", "Street", "Avenue", "Lane")


def all_places() -> Iterator[tuple[str, list[str]]]:
    """Every area with the streets of its city: the known ones, and those named after somebody."""
    surnames = chain.from_iterable(
        zip(YORUBA_SURNAMES, IGBO_SURNAMES, HAUSA_SURNAMES, strict=False)
    )
    named = [f"{part.plain} {kind}" for part, kind in zip(surnames, cycle(KINDS), strict=False)]
    for entry in re.split(r"\n(?=\w)", CITIES.strip()):
        city, areas, own = entry.split(":")
        streets = table_of([*zipf(entries(own), 45), *zipf(COMMON_STREETS, 15), *zipf(named, 40)])
        for area in entries(areas):
            yield f"{area}, {city}", streets


PLACES = table_of(zipf(all_places()))
# Called with a number, a street and a place.
ADDRESS_FORMS: list[Callable[[int, str, str], str | None]] = table_of(
    (
        (lambda n, street, place: f"{n} {street}, {place}", 32),
        (lambda n, street, place: f"{n}, {street}, {place}", 14),
        (lambda n, street, place: f"No. {n} {street}, {place}", 9),
        (lambda n, street, place: f"No {n}, {street}, {place}", 5),
        (lambda n, street, place: f"Plot {n}, {street}, {place}", 5),
        (lambda n, street, place: f"{n}B {street}, {place}", 3),
        (lambda n, street, place: f"Flat {n % 8 + 1}, {n} {street}, {place}", 3),
        (lambda n, street, place: f"Suite {n % 40 + 1}, {street} Plaza, {place}", 2),
        (lambda n, street, place: f"Shop {n}, off {street}, {place}", 2),
        (lambda n, street, place: f"Block {n % 12 + 1}, {street} Estate, {place}", 2),
        (lambda n, street, place: f"{n} {street}, {place}, Nigeria.", 2),
        (lambda n, street, place: place, 3),
        (lambda n, street, place: None, 18),
    )
)

# Called with eight digits nobody else has.
TIN_FORMS: list[Callable[[int], str | None]] = table_of(
    (
        (lambda n: f"{n:08d}-0001", 55),
        (lambda n: f"{2_300_000_000 + n}", 24),
        (lambda n: f"{2_026_000_000_000 + n * 97}", 10),
        (lambda n: f"{n:08d} - 0001", 2),
        (lambda n: f"{n:08d}/0001", 1),
        (lambda n: None, 8),
    )
)
TINS = 10**8
TIN_STEP = 38_196_601  # shares no factor with TINS: a full round before any number comes again
PEOPLE_WITH_TIN = SIZE * 10 // 100
