"""How companies are called, and where they get their mail."""

from __future__ import annotations

from collections.abc import Callable

from customers.management.people.tables import entries, table_of, weighted, zipf

# --- Companies ----------------------------------------------------------------------------------

WORDS = table_of(
    zipf(
        entries("""
Golden; Royal; Divine Favour; Zenith; Eagle; God's Grace; Sahara; Premier; Unity; Blue Ocean;
Bright Star; Covenant; Excel; First Choice; Green Field; Heritage; Jubilee; Kings; Landmark;
Lagoon; Magnificent; New Era; Niger Delta; Northern Star; Oasis; Palm Tree; Peace & Joy;
Pinnacle; Platinum; Prime; Rock of Ages; Sapphire; Savannah; Silver Line; Solid Rock; Sunrise;
Supreme; Trans-Sahel; Triumph; Vantage; Victory; Vision; White Gold; El-Shaddai; Jehovah Jireh;
Al-Amin; Arewa; Oduduwa; Zuma; Olumo; Benue Valley; Cross River; Delta; Eko; Atlantic; Naija;
Afro; Pan-African; Continental; Crown; Diamond; Emerald; Everest; Express; Fidelity; Glory;
Harmony
""")
    )
)
TRADES = table_of(
    zipf(
        entries("""
Foods; Logistics; Energy; Farms; Motors; Pharmacy; Construction; Oil & Gas; Technologies;
Properties; Stores; Investments; Textiles; Fashion; Printing Press; Bakery; Hotels; Travels &
Tours; Electronics; Agro-Allied; Building Materials; Schools; Consulting; Communications;
Furniture; Plastics; Haulage; Medical Centre; Supermarket; Water; Engineering; Interiors;
Microfinance; Security Services; Auto Parts; Cosmetics; Fisheries; Poultry; Rice Mills; Solar;
Shipping; Event Centre; Catering Services; Telecoms; Steel; Cold Room; Merchandise
""")
    )
)
LEGAL_FORMS = table_of(
    weighted("""
Ltd 22; Limited 12; Nigeria Ltd 15; Nig. Ltd 9; Nigeria Limited 7; Enterprises 11; Ventures 9;
Global Resources 4; Global Resources Ltd 2; Int'l Ltd 2; & Co. 2; Group 2; Holdings 1; PLC 2
""")
)

# Called with a given name, a surname, a word and a trade.
COMPANY_FORMS: list[Callable[[str, str, str, str], str]] = table_of(
    (
        (lambda first, last, word, trade: f"{word} {trade}", 34),
        (lambda first, last, word, trade: f"{last} {trade}", 26),
        (lambda first, last, word, trade: f"{last} & Sons", 9),
        (lambda first, last, word, trade: f"{first} {last} {trade}", 7),
        (lambda first, last, word, trade: f"{first} {trade}", 7),
        (lambda first, last, word, trade: f"{first[0]}.{last[0]}. {last} & Sons", 4),
        (lambda first, last, word, trade: f"{last} Brothers", 3),
        (lambda first, last, word, trade: f"{last} & Partners", 3),
        (lambda first, last, word, trade: f"{first} & {last} {trade}", 3),
        (lambda first, last, word, trade: f"{last} {word}", 4),
    )
)
MAILBOXES = table_of(
    weighted("info 45; sales 18; accounts 10; admin 9; contact 8; hello 5; office 5")
)
# Called with the name of the company and one of the mailboxes. Many a small one has no domain.
COMPANY_EMAILS: list[Callable[[str, str], tuple[str, str]]] = table_of(
    (
        (lambda company, box: (box, f"{company}.com"), 19),
        (lambda company, box: (box, f"{company}.com.ng"), 19),
        (lambda company, box: (box, f"{company}.ng"), 8),
        (lambda company, box: (box, f"{company}.org.ng"), 1),
        (lambda company, box: (box, f"{company}.net"), 2),
        (lambda company, box: (box, f"{company}group.com"), 3),
        (lambda company, box: (box, f"{company}-ng.com"), 2),
        (lambda company, box: (company, "gmail.com"), 32),
        (lambda company, box: (company, "yahoo.com"), 14),
    )
)
