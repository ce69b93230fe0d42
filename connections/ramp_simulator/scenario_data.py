"""The invented businesses of the scenarios: who they are, who spends, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.ramp_simulator.people import Merchant

TRAVEL, SOFTWARE, MEALS, OFFICE = "6100", "6200", "6300", "6400"
ADVERTISING, PROFESSIONAL, OLD_PROJECTS = "6500", "6600", "6999"
EQUIPMENT = "7100"
"""Of a chart from before us, which no ERP knows."""
MIGRATING = "cedar-hotels"
"""The business whose seat another provider holds."""
ENGINEERING, SALES, OPERATIONS = "ENG", "SAL", "OPS"
DEPARTMENT_NAMES = {ENGINEERING: "Engineering", SALES: "Sales", OPERATIONS: "Operations"}


@dataclass(frozen=True, slots=True)
class Shop:
    """Where money goes: how much at a time in whole US dollars' worth, for what, and how often."""

    merchant: Merchant
    account_code: str
    lowest: float
    highest: float
    memos: Sequence[str]
    weight: int = 3
    foreign: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A business. `ready` is how many transactions the demo starts with as ready."""

    key: str
    name: str
    currency: str
    country: str
    city: str
    website: str
    phone: str
    entities: Sequence[str]
    people: Sequence[tuple[str, str, str]]
    shops: Sequence[Shop]
    ready: int
    price_level: float = 1.0


def _shop(
    name: str,
    account_code: str,
    lowest: float,
    highest: float,
    memos: str,
    *,
    weight: int = 3,
    at: str | None = None,
    foreign: str | None = None,
) -> Shop:
    """`memos` are separated by bars; `at` is "city, country" for a purchase in person."""
    category_code, category_id, category_name = _CATEGORIES[account_code]
    city, _, country = (at or "").partition(", ")
    merchant = Merchant(
        name=name,
        category_code=category_code,
        category_id=category_id,
        category_name=category_name,
        city=city or None,
        country=country or None,
    )
    return Shop(merchant, account_code, lowest, highest, memos.split("|"), weight, foreign)


_CATEGORIES = {
    TRAVEL: ("4511", 1, "Airlines"),
    SOFTWARE: ("5734", 40, "SaaS / Software"),
    MEALS: ("5812", 33, "Restaurants"),
    OFFICE: ("5943", 23, "Office Supplies"),
    ADVERTISING: ("7311", 2, "Advertising"),
    PROFESSIONAL: ("7392", 36, "Professional Services"),
    OLD_PROJECTS: ("7399", 19, "General Merchandise"),
}

_SOFTWARE_SHOPS = (
    _shop("Slack", SOFTWARE, 87, 640, "Team plan|Seats for the new starters"),
    _shop("Amazon Web Services", SOFTWARE, 120, 4800, "Monthly usage|Production account", weight=2),
    _shop("Google Workspace", SOFTWARE, 36, 410, "Mail and calendar"),
    _shop("Zoom", SOFTWARE, 15, 180, "Meetings|Webinar add-on"),
    _shop("Notion", SOFTWARE, 16, 220, "Wiki for everyone"),
    _shop("1Password", SOFTWARE, 20, 160, "Password vault"),
)
_US_SHOPS = (
    *_SOFTWARE_SHOPS,
    _shop("Delta Air Lines", TRAVEL, 180, 1450, "Customer visit, Chicago|Trade fair|Site visit"),
    _shop("Marriott", TRAVEL, 149, 890, "Two nights, Denver|Trade fair hotel", at="Denver, US"),
    _shop("Uber", TRAVEL, 9, 78, "Airport|To the customer|Late train", weight=6),
    _shop("Shell", TRAVEL, 22, 96, "Fuel for the van|Rental car", at="Boise, US"),
    _shop("Sweetgreen", MEALS, 11, 96, "Lunch with the team|Working lunch", weight=5),
    _shop("Chipotle", MEALS, 9, 140, "Lunch|Team lunch after the move", weight=5),
    _shop("Staples", OFFICE, 8, 320, "Paper and pens|Toner|Chairs for the front room", weight=4),
    _shop("Amazon", OFFICE, 6, 540, "Cables|Shelves|Monitor|Cleaning supplies", weight=7),
    _shop("FedEx", OFFICE, 12, 210, "Samples|Express to the West Coast"),
    _shop("LinkedIn", ADVERTISING, 90, 1200, "Job posting|Campaign"),
    _shop("Google Ads", ADVERTISING, 150, 2600, "Search campaign|Spring campaign"),
    _shop("Gusto", PROFESSIONAL, 59, 390, "Payroll fee", weight=1),
    _shop("Baker & Finch LLP", PROFESSIONAL, 400, 3900, "Lease review|Trademark", weight=1),
    _shop("Deutsche Bahn", TRAVEL, 40, 240, "Train to the fair", weight=1, foreign="EUR"),
    _shop("Canva", SOFTWARE, 13, 120, "Design seats", weight=1, foreign="AUD"),
)

PLANS = (
    Plan(
        key="harbor-coffee",
        name="Harbor Coffee Roasters",
        currency="USD",
        country="US",
        city="Portland",
        website="harborcoffee.example",
        phone="+15035550118",
        entities=("Harbor Coffee Roasters",),
        people=(
            ("Maya", "Okafor", OPERATIONS),
            ("Daniel", "Reyes", SALES),
            ("Ingrid", "Solheim", OPERATIONS),
            ("Theo", "Castellano", SALES),
            ("Priya", "Raman", ENGINEERING),
        ),
        shops=(
            *_US_SHOPS,
            _shop("Uline", OFFICE, 60, 900, "Kraft bags|Shipping boxes", weight=6),
            _shop("Probat", OFFICE, 120, 2400, "Drum gasket|Burner service", weight=2),
            _shop("Square", SOFTWARE, 60, 180, "Point of sale", weight=3),
            _shop("Café Imports", OFFICE, 300, 5200, "Green coffee, Huila|Sample lots", weight=4),
        ),
        ready=130,
    ),
    Plan(
        key="northwind-robotics",
        name="Northwind Robotics",
        currency="USD",
        country="US",
        city="Pittsburgh",
        website="northwindrobotics.example",
        phone="+14125550167",
        entities=("Northwind Robotics Inc.", "Northwind Robotics Labs LLC"),
        people=(
            ("Aisha", "Bello", ENGINEERING),
            ("Marcus", "Whitfield", ENGINEERING),
            ("Lena", "Kowalczyk", ENGINEERING),
            ("Javier", "Montoya", SALES),
            ("Hannah", "Lindqvist", OPERATIONS),
            ("Wei", "Zhang", ENGINEERING),
            ("Omar", "Haddad", SALES),
            ("Grace", "Tanaka", OPERATIONS),
        ),
        shops=(
            *_US_SHOPS,
            _shop("McMaster-Carr", OFFICE, 14, 1800, "Fasteners|Bearings|Linear rail", weight=9),
            _shop("DigiKey", OFFICE, 20, 2600, "Motor drivers|Connectors|Sensors", weight=8),
            _shop("GitHub", SOFTWARE, 84, 920, "Seats|Actions minutes"),
            _shop("Onshape", SOFTWARE, 125, 2500, "CAD seats", weight=2),
            _shop("Protolabs", PROFESSIONAL, 210, 6400, "Machined brackets|Gripper", weight=4),
        ),
        ready=165,
    ),
    Plan(
        key="atelier-lumiere",
        name="Atelier Lumière",
        currency="EUR",
        country="FR",
        city="Lyon",
        website="atelierlumiere.example",
        phone="+33455550142",
        entities=("Atelier Lumière SAS",),
        people=(
            ("Camille", "Dufour", SALES),
            ("Élodie", "Marchand", ENGINEERING),
            ("Bastien", "Lefèvre", OPERATIONS),
            ("Noé", "Garnier", ENGINEERING),
        ),
        shops=(
            *_SOFTWARE_SHOPS,
            _shop("SNCF Connect", TRAVEL, 35, 290, "Lyon-Paris|Visite client", weight=6),
            _shop("Air France", TRAVEL, 120, 780, "Salon de Milan|Visite usine"),
            _shop("Ibis Styles", TRAVEL, 82, 310, "Hôtel Paris", at="Paris, FR"),
            _shop("Bouchon des Halles", MEALS, 22, 260, "Déjeuner client", at="Lyon, FR", weight=5),
            _shop("Monoprix", MEALS, 9, 88, "Café et eau|Petit déjeuner d'équipe", at="Lyon, FR"),
            _shop("Bruneau", OFFICE, 15, 420, "Fournitures|Cartouches", weight=4),
            _shop("Leroy Merlin", OFFICE, 12, 860, "Éclairage|Visserie|Peinture", weight=5),
            _shop("Meta", ADVERTISING, 120, 1700, "Campagne lampes|Collection d'été"),
            _shop("Étude Vasseur", PROFESSIONAL, 350, 2400, "Dépôt de modèle", weight=1),
            _shop("Flos", OFFICE, 200, 3200, "Échantillons", weight=2),
            _shop("London Design Fair", ADVERTISING, 300, 2100, "Stand", weight=1, foreign="GBP"),
        ),
        ready=85,
    ),
    Plan(
        key="sakura-foods",
        name="Sakura Foods 株式会社",
        currency="JPY",
        country="JP",
        city="Osaka",
        website="sakurafoods.example",
        phone="+81655550193",
        entities=("Sakura Foods 株式会社",),
        people=(
            ("Haruto", "Ishikawa", SALES),
            ("Yui", "Nakamura", OPERATIONS),
            ("Ren", "Fujimoto", OPERATIONS),
            ("Aoi", "Shimizu", ENGINEERING),
        ),
        shops=(
            *_SOFTWARE_SHOPS,
            _shop("JR東海", TRAVEL, 45, 280, "新大阪〜東京|名古屋出張", weight=7),
            _shop("全日本空輸", TRAVEL, 120, 620, "札幌出張"),
            _shop("東横イン", TRAVEL, 55, 190, "東京宿泊", at="Tokyo, JP", weight=4),
            _shop("サイゼリヤ", MEALS, 8, 70, "会議後の昼食", at="Osaka, JP", weight=5),
            _shop("セブン-イレブン", MEALS, 3, 24, "飲み物", at="Osaka, JP", weight=6),
            _shop("アスクル", OFFICE, 10, 360, "事務用品|コピー用紙", weight=5),
            _shop("モノタロウ", OFFICE, 12, 780, "包装資材|手袋", weight=5),
            _shop("電通", ADVERTISING, 800, 5200, "春の広告", weight=1),
            _shop("佐藤会計事務所", PROFESSIONAL, 250, 1400, "月次顧問料", weight=1),
            _shop("Alibaba", OFFICE, 90, 1900, "包装見本", weight=1, foreign="USD"),
        ),
        ready=75,
        price_level=150,
    ),
    Plan(
        key="pennine-outdoor",
        name="Pennine Outdoor Ltd",
        currency="GBP",
        country="GB",
        city="Sheffield",
        website="pennineoutdoor.example",
        phone="+441145550136",
        entities=("Pennine Outdoor Ltd",),
        people=(
            ("Rowan", "Hargreaves", SALES),
            ("Isla", "Thornton", OPERATIONS),
            ("Callum", "Ainsworth", OPERATIONS),
        ),
        shops=(
            *_SOFTWARE_SHOPS,
            _shop("Trainline", TRAVEL, 24, 210, "Sheffield to London|Buyer meeting", weight=5),
            _shop("Premier Inn", TRAVEL, 62, 240, "One night, Keswick", at="Keswick, GB"),
            _shop("BP", TRAVEL, 35, 92, "Diesel for the van", at="Sheffield, GB", weight=4),
            _shop("Greggs", MEALS, 4, 38, "Breakfast for the fitting crew", at="Leeds, GB"),
            _shop("Screwfix", OFFICE, 9, 340, "Shelf brackets|Fixings", weight=5),
            _shop("Royal Mail", OFFICE, 11, 160, "Returns|Parcels", weight=4),
            _shop("Mailchimp", ADVERTISING, 45, 320, "Newsletter"),
            _shop("Wool & Hide GmbH", OFFICE, 140, 1300, "Samples", weight=1, foreign="EUR"),
        ),
        ready=35,
        price_level=0.8,
    ),
    Plan(
        key="blue-mesa-solar",
        name="Blue Mesa Solar",
        currency="USD",
        country="US",
        city="Albuquerque",
        website="bluemesasolar.example",
        phone="+15055550171",
        entities=("Blue Mesa Solar LLC",),
        people=(
            ("Elena", "Trujillo", OPERATIONS),
            ("Caleb", "Yazzie", OPERATIONS),
            ("Monica", "Aragon", SALES),
            ("Travis", "Benally", OPERATIONS),
            ("Sofia", "Baca", SALES),
            ("Desmond", "Pruitt", ENGINEERING),
            ("Keiko", "Marsh", ENGINEERING),
            ("Luis", "Gallegos", OPERATIONS),
            ("Naomi", "Chee", OPERATIONS),
        ),
        shops=(
            *_US_SHOPS,
            _shop("The Home Depot", OFFICE, 12, 940, "Conduit|Anchors|Ladder", weight=12),
            _shop("Love's Travel Stops", TRAVEL, 34, 210, "Diesel, crew truck", weight=10),
            _shop("La Quinta", TRAVEL, 79, 420, "Crew lodging, Farmington", weight=6),
            _shop("Blake's Lotaburger", MEALS, 8, 92, "Crew lunch", at="Grants, US", weight=8),
            _shop("CED Greentech", OFFICE, 180, 7800, "Inverter parts|Racking", weight=6),
            _shop("Aurora Solar", SOFTWARE, 159, 1100, "Design seats", weight=2),
            _shop("Clear Channel", ADVERTISING, 600, 3800, "Billboard, I-40", weight=1),
        ),
        ready=230,
    ),
    Plan(
        key="verde-clinics",
        name="Verde Clinics",
        currency="USD",
        country="US",
        city="Tucson",
        website="verdeclinics.example",
        phone="+15205550124",
        entities=("Verde Clinics PLLC",),
        people=(
            ("Amara", "Nwosu", OPERATIONS),
            ("Joel", "Esparza", OPERATIONS),
            ("Beatriz", "Salcido", SALES),
            ("Rachel", "Feldman", OPERATIONS),
            ("Samir", "Patel", ENGINEERING),
        ),
        shops=(
            *_US_SHOPS,
            _shop("McKesson", OFFICE, 90, 4600, "Gloves and gauze|Vaccine supplies", weight=7),
            _shop("Henry Schein", OFFICE, 60, 2800, "Exam room supplies", weight=5),
            _shop("athenahealth", SOFTWARE, 240, 1900, "Practice software", weight=2),
            _shop("Stericycle", PROFESSIONAL, 110, 680, "Waste pick-up", weight=3),
            _shop("Costco", MEALS, 25, 240, "Break room", at="Tucson, US", weight=4),
        ),
        ready=110,
    ),
    Plan(
        key=MIGRATING,
        name="Cedar Hotels Group",
        currency="USD",
        country="US",
        city="Asheville",
        website="cedarhotels.example",
        phone="+18285550159",
        entities=("Cedar Hotels Group LLC", "Cedar Lodge at Lake Lure LLC"),
        people=(
            ("Nora", "Whitaker", OPERATIONS),
            ("Felix", "Brandt", SALES),
            ("Imani", "Coleman", OPERATIONS),
            ("Tomás", "Ibarra", OPERATIONS),
            ("Greta", "Nyström", SALES),
            ("Andre", "Baptiste", ENGINEERING),
        ),
        shops=(
            *_US_SHOPS,
            _shop("Sysco", MEALS, 180, 3900, "Kitchen order|Breakfast buffet", weight=7),
            _shop("HD Supply", OFFICE, 25, 1400, "Towels|Lamps|Door hardware", weight=6),
            _shop("Booking.com", ADVERTISING, 120, 2600, "Commission", weight=4),
            _shop("Mews", SOFTWARE, 240, 1500, "Property management", weight=2),
            _shop("Blue Ridge Linen", PROFESSIONAL, 140, 1900, "Laundry", weight=4),
        ),
        ready=45,
    ),
)
