"""Believable customers of a Nigerian business, for seeding and for benchmarks.

Nobody here is real, but an address or a number may well belong to somebody: never write to one.

Every choice is a look-up in a ready table with twelve random bits. That is fast, and it is
stable: tables are made with integers alone, and `getrandbits` gives the same bits for the same
seed on every Python, which `choice` and `shuffle` do not promise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle
from random import Random
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Person:
    """One customer, who may be a company: then `company_name` is set."""

    name: str
    email: str
    phone: str | None
    address: str | None
    tin: str | None
    company_name: str | None
    account_balance_kobo: int


# --- Tables -------------------------------------------------------------------------------------

_BITS = 12
_SIZE = 1 << _BITS
_COMPANIES = _SIZE * 20 // 100  # a fifth of all customers
_CONTACTS = _SIZE * 25 // 100  # of companies, those known by the name of a person


def _table(weighted: Iterable[tuple[_T, int]]) -> list[_T]:
    """`_SIZE` places, each item holding its share of them."""
    pairs = list(weighted)
    total = sum(weight for _, weight in pairs)
    table: list[_T] = []
    reached = 0
    for item, weight in pairs:
        reached += weight
        table += [item] * (reached * _SIZE // total - len(table))
    return table


def _zipf(pool: Iterable[_T], share: int = 100) -> list[tuple[_T, int]]:
    """The pool weighted by rank, the common first; its weights add up to about `share`."""
    items = list(pool)
    ranks = [1_000_000 // (rank + 10) for rank in range(len(items))]
    total = sum(ranks)
    return [
        (item, weight * share * 10_000 // total) for item, weight in zip(items, ranks, strict=True)
    ]


def _list(text: str) -> list[str]:
    """The entries of a `;`-separated pool."""
    return [" ".join(entry.split()) for entry in text.split(";")]


def _weighted(text: str) -> Iterator[tuple[str, int]]:
    """The entries of a pool with a weight behind each: `Ltd 22; Limited 12`."""
    for entry in _list(text):
        item, _, weight = entry.rpartition(" ")
        yield item, int(weight)


class _Part(NamedTuple):
    """A name in the spellings people use; the number of a spelling is its index."""

    plain: str
    nfc: str
    nfd: str
    slug: str


_PLAIN, _NFC, _NFD = range(3)
_HOOKS = str.maketrans("ƁɓƊɗƘƙƳƴ", "BbDdKkYy")


def _part(entry: str) -> _Part:
    """A pool entry: `Ṣadé`, or `王=Wang` where leaving out the marks does not give Latin letters.

    An underscore stands for a space within a name.
    """
    written, _, latin = entry.replace("_", " ").partition("=")
    decomposed = unicodedata.normalize("NFD", latin or written.translate(_HOOKS))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _Part(
        plain,
        unicodedata.normalize("NFC", written),
        unicodedata.normalize("NFD", written),
        _slug(plain),
    )


def _slug(text: str) -> str:
    """What of the text can stand in an address or a domain: its letters a–z."""
    return re.sub("[^a-z]+", "", text.lower())


def _parts(text: str) -> list[_Part]:
    return [_part(entry) for entry in text.split()]


# --- Names, the common first --------------------------------------------------------------------

_ENGLISH_MEN = _parts("""
Emmanuel Samuel Daniel David Michael Joseph John Peter Paul Sunday Victor Godwin Stephen James
Anthony Solomon Joshua Moses Isaac Benjamin Francis Augustine Patrick Felix Kenneth Charles
Simon Philip Thomas George Mark Matthew Andrew Monday Friday Innocent Christopher Henry Richard
Robert William Jude Vincent Kingsley Lucky Festus Goodluck Clement Raymond Sylvester Gabriel
Raphael Ernest Gideon Elijah Nathaniel Timothy Jeremiah Ezekiel Reuben Bernard Fidelis Cletus
Boniface Cyril Desmond Nicholas Jonathan Wisdom Promise Prosper Destiny Bright Collins Frank
Julius Edwin Leonard Alfred Martins Caleb Silas Titus Barnabas Cosmas Celestine Basil Hyacinth
""")
_ENGLISH_WOMEN = _parts("""
Blessing Grace Mary Esther Joy Mercy Elizabeth Ruth Patience Favour Comfort Faith Victoria Peace
Rose Deborah Rebecca Sarah Janet Juliet Gift Precious Happiness Charity Florence Helen Stella
Agnes Martha Hannah Rachel Christiana Caroline Veronica Theresa Catherine Felicia Margaret
Josephine Rita Roseline Philomena Beatrice Angela Cynthia Gloria Vivian Lilian Jennifer Linda
Sandra Doris Edith Eunice Gladys Dorcas Lydia Naomi Abigail Priscilla Jane Monica Cecilia
Bridget Anthonia Benedicta Goodness Success Miracle Marvellous Winifred Rosemary Ifeanyichukwu
Clementina Scholastica Perpetua Evelyn Irene Joan
""")
_ENGLISH_SURNAMES = _parts("""
Johnson Williams Davies Cole Thomas George Smith Brown Jones Macaulay Taylor Roberts Coker Lewis
Doherty Phillips Crowther Wright Clarke Johnston Campbell Bright Wilson Harrison Walker Robinson
Hughes Green Edwards Turner Cooper Morgan Bell Murphy Bailey Kelly Howard Ward Cox Richardson
O'Connor O'Brien Byrne McKenzie MacDonald Stewart Fraser Hamilton Graham Reid Whyte Hart Manuel
Savage
""")
_YORUBA_MEN = _parts("""
Adébáyọ̀ Ọláwálé Túndé Ṣẹ́gun Adéwálé Fẹ́mi Káyọ̀dé Babátúndé Olúwaṣeun Adékúnlé Táíwò Kẹ́hìndé
Olúwatóbi Ọlámidé Gbénga Olúṣẹ́gun Ayọ̀délé Adéyẹmí Wálé Kúnlé Ṣeun Olúwafẹ́mi Ọládélé Ìdòwú
Rótìmí Tósìn Olúwadámiláre Akínwálé Adémọ́lá Ọlátúnjí Ganiyu Rasheed Adéníyì Yínká Bọ́lájí
Olúfẹ́mi Adébọ̀wálé Bámidélé Jídé Lánre Ọlánrewájú Olúmìdé Múyìwá Wasiu Adétọ́kunbọ̀ Tókunbọ̀
Adégòkè Adérẹ̀mí Adésọjí Adéolú Adédayọ̀ Adédèjì Adéṣínà Adéwùmí Adéyínká Olúwagbénga Olúwọlé
Olúkáyọ̀dé Ọládipọ̀ Ọláníyì Ọláolú Ọlájídé Ọlátúndé Ọláyínká Ọláṣubọ̀mí Ayọ̀bámi Ayọ̀dèjì
Ayọ̀kúnlé Akínwùmí Akínọlá Akíntúndé Akínyẹmí Akínkúnmi Babájídé Babáṣọlá Bánkọ́lé Bọ̀dé Dàpọ̀
Délé Démọ́lá Dọ̀tun Fọlárìn Gbọ́láhàn Ìbùkún Kọ́láwọlé Níyì Ọbáfẹ́mi Ògúndélé Olúdáre Ọmọ́túndé
Rẹ̀mí Ṣọlá Ṣínà Ṣọjí Tádé Wọlé Yẹ́mí Sikiru Mufutau Taofeek Kazeem Lukman Saheed Nurudeen Akeem
Waheed Jamiu Tajudeen Kamorudeen Olúwadáre Olúwapẹ̀lúmi Ìfẹ́olúwa Ìníolúwa Ayọ̀mídé Adéoyè Àjàní
Àkànbí Àlàmú Àlàó Àjàdí Àyìnlá Àyọ̀ọlá Bàbárìndé Olúṣọlá Olúyọ̀mí Ẹniọlá Olúwakáyọ̀dé
""")
_YORUBA_WOMEN = _parts("""
Ṣadé Fọláṣadé Bùkọ́lá Títílayọ̀ Fúnmiláyọ̀ Kẹ́mi Yétúndé Tẹ́mitọ́pẹ́ Rónkẹ́ Ọmọ́lará Bísí Fúnkẹ́
Adérónkẹ́ Dámilọ́lá Olúwakẹ́mi Bímpé Tóyìn Bùnmi Mojísọ́lá Modúpẹ́ Olúbùnmi Ìyábọ̀ Jùmọ̀kẹ́
Yéwándé Ọmọ́tọ́lá Fọlákẹ́ Adéọlá Kudirat Sherifat Rukayat Ọláyẹmí Ṣọlápé Abíọ́lá Olúfúnmiláyọ̀
Olúbùkọ́lá Fúnmi Àbíkẹ́ Àdùkẹ́ Àbẹ̀kẹ́ Ẹ̀bùn Títílọpẹ́ Bọ́lá Kíkẹ́lọmọ Mobọ́lájí Mọrẹ́nikẹ́
Mosúnmọ́lá Ọmọlọlá Ọmọ́wùmí Ọmọ́bọ́láńlé Simisọ́lá Sìmí Tèmilolúwa Tómi Olútóyìn Wúràọlá Yẹ́misí
Olúyẹ́misí Títí Tinúkẹ́ Tinúadé Dúpẹ́ Àìná Àlàbá Àbẹ̀ní Àṣàkẹ́ Àjọkẹ́ Àyìnkẹ́ Àmọ̀kẹ́ Àníkẹ́
Adéjọkẹ́ Adénikẹ́ Adétọ́lá Adétóún Adúnní Àríkẹ́ Bọ́láńlé Bọ̀sẹ̀ Fadékẹ́ Folúkẹ́ Fọláyan
Gbémisọ́lá Ìbùkúnolúwa Ìrẹ́tíọlá Basirat Sekinat Bilikis Muinat Nimota Rashidat Risikat Ganiyat
Khadijat Monsurat Ọlábísí Ọlámidé Adébísí Adébímpé Adébùkọ́lá Olúwaṣèyí Olúwadámilọ́lá
Olúwatóyìn Olúwabùnmi Ayọ̀mídé Ayọ̀tọ́lá
""")
_YORUBA_SURNAMES = _parts("""
Adébáyọ̀ Adéyẹmí Balógun Ọlátúnjí Àjàyí Àkàndé Adélékè Ògúnlẹ́yẹ Babalọlá Àlàbí Òjó Adéníyì
Afọlábí Lawal Bakare Salami Oyèwọlé Fáṣọlá Ọládipọ̀ Bello Raji Adéṣínà Akíntọ́lá Adéwálé Oyèníyì
Ògúndìpẹ̀ Táíwò Fálànà Adékúnlé Ṣóyínká Ọ̀ṣínbàjò Awólọ́wọ̀ Ayọ̀délé Àrẹ̀mú Ìdòwú Mákíndé
Adébísí Olúwọlé Ògúnbíyì Akínjídé Akínsànyà Àjàní Àlàdé Àyìndé Àdìsá Báṣọ̀run Bánkọ́lé Dáwódù
Fágbémi Fálétí Fágúnwà Fátóyìnbó Fáyẹmí Fálọlá Kúforíjì Kútì Ládípọ̀ Lámbò Mógàjí Ògúnṣọlá
Ògúntádé Òkúnọlá Ọmọ́táyọ̀ Ọmọ́tóṣọ̀ Òní Ọ̀nàbánjọ Ọ̀ṣúndáre Oyèdépọ̀ Oyèlárán Oyèwùmí Oyètúndé
Ṣóbándé Ṣófọlá Ṣówándé Ṣódípọ̀ Ṣówọlé Ṣógbèsan Ṣóbówálé Tìnúbú Abíọ́dún Abíọ́lá Adébóyè Adédijí
Adédòyìn Adéfarasìn Adégbìtẹ́ Adégbóyèga Adékọ̀yà Adéléyẹ Adéńlé Adéníjì Adéníran Adéògún
Adépọ̀jù Adéṣidà Adéṣọlá Adétunjí Adéwọlé Àgbájé Àgbọọlá Àìná Akínbọ̀dé Akíndélé Akínfẹnwá
Akínlọtán Akínlọyè Akínọṣo Àpàtá Àrẹ̀gbẹ́ṣọlá Àṣàólú Awóníyì Awóyẹmí Bádà Bámgbóṣé Ẹ̀kúndáyọ̀
Ìgè Ìlọ̀rí Ìṣọ̀lá Jẹ́gẹ́dẹ́ Kóléoṣó Kòmọláfẹ́ Odùkọ̀yà Odùníyì Odùyọyè Odúṣọ̀gà Àdàrámájà
Adéagbo Adéníkẹ́ Gbàdàmọ́sí Olúrìndé Ọláníyan Ọláòyè Ọlábọ̀dé Ọ̀pádòtun Ọ̀pẹ́yẹmí Owólabí
Oyèbánjí Oyègbilé Oyèkànmí Popoola Sanusi Shittu Tijani Yusuff Oseni Ọ̀ṣọ́bà Ọ̀tẹ́dọlá Ṣeyífúnmi
Ṣótúndé Olúmọ́ròtì
""")
_IGBO_MEN = _parts("""
Chukwuemeka Ọbịnna Chinedu Emeka Ikechukwu Nnamdị Chidi Uchenna Kelechi Chibụzọ Ifeanyị Obiọra
Ebuka Chijioke Kenechukwu Okechukwu Onyeka Chidiebere Tochukwu Nnạmdị Chukwudi Ugochukwu Obinze
Arinze Chima Chike Chibueze Chinonso Somtochukwu Ekene Ikenna Uche Obi Nonso Azubuike Chukwuma
Chukwuka Nwabueze Anayọ Uzọchukwu Ọgbọnna Ndubụisi Lotanna Kamsiyọchukwu Chimaobi Maduabuchi
Iheanyị Onyekachukwu Ọdịnaka Echezọna Nwachukwu Obumneme Ọzọemena Ejike Jideofọ Kosisochukwu
Mmaduabuchi Olisa Okwuchukwu Udochukwu Chimezie Chigozie Chiemerie Chukwunonso Dumebi Ezenwa
Ifechukwu Sopuluchi Ụzọdinma Ekwueme Nkemdịlịm Tobechukwu Zikora
""")
_IGBO_WOMEN = _parts("""
Ngọzi Chioma Ifeọma Adaobi Nkechi Chinwe Amaka Adaeze Onyinye Uju Chiamaka Chidinma Ogechi
Amarachi Ebere Adanna Nneka Obiageli Ifeyinwa Ijeọma Chinyere Uchechi Nkiru Chizọba Ugochi
Oluchi Ezinne Kosara Nwakaego Adaọra Ọgọchukwu Uzọamaka Obiọma Ozioma Akụnna Ọbianụjụ Ụjụnwa
Nwanyịeze Mgbeọjị Ngọzichukwu Chikaọdị Chinenye Somadịna Chimamanda Urenna Ụgbọ Nwamaka Ada
Olanma Kambịlị Chiwetara Ifunanya Kamsi Munachi Nmesoma Onyedikachi Akuọma Ugonna Nnenna Nwando
""")
_IGBO_SURNAMES = _parts("""
Okafọr Okeke Eze Okonkwọ Okoro Nwosu Obi Ọnwụka Nwachukwu Ọkpara Igwe Nwankwọ Chukwu Ọgbọnna
Onyeama Uzọ Anyanwụ Ibekwe Ojukwu Ọjụkwụ Azikiwe Azịkịwe Onuoha Ọnụọha Nnaji Umeh Ugwu Ani
Ekwueme Okoye Mbah Ezeudu Achebe Adichie Emecheta Okigbo Ọkọrọ Ọkọnkwọ Ezekwesịlị Ọkonjo Iweala
Soludo Ezeife Mbadiwe Okadigbo Ngige Ọbịanọ Obiora Anosike Nwabara Nwaneri Iroegbu Ihejirika
Ugochukwu Ụwakwe Ụba Ụzọigwe Ofọegbu Ohakwe Ọsụji Okwara Madu Maduekwe Madụka Ezeani Ezenwa
Ezeokafor Ezeji Ezechukwu Nwodo Nwafor Nwaogu Nwokeji Nwokocha Ndukwe Ndụbụisi Mgbemena Mbakwe
Maduabum Kanu Kalu Iwuanyanwu Iwu Ilozumba Ikpeazu Ikejiani Ifeajuna Dike Chukwurah Chukwuma
Asiegbu Arinze Anyaoku Anyadike Anozie Aniebo Amadi Alaọma Akunyili Agụ Agbasi Afam Abaribe Ogbu
Ogbuehi Oguike Ohaegbulam Okereke Okezie Okorie Olisa Onwuachi Onyekwere Orji Osakwe Udeh Udeze
Umeadi Unachukwu Uwazuruike
""")
_HAUSA_MEN = _parts("""
Abubakar Musa Ibrahim Mohammed Usman Aliyu Sani Ɗanladi Yusuf Umar Ahmed Suleiman Bello Garba
Ismail Yakubu Isa Hassan Aminu Kabiru Mustapha Haruna Sadiq Nasiru Abdullahi Shehu Ɗanjuma Lawal
Bashir Idris Salisu Murtala Tijjani Muhammadu Adamu Bala Hussaini Auwal Jibril Mu'azu Sa'idu
Ƙasimu Ɗahiru Zubairu Buhari Ɗanlami Nuhu Gambo Habu Tanko Maigari Baƙo Sambo Ɗanbaba Mamman
Modibbo Ardo Dikko Barkindo Girei Jauro Bappa Alkasim Rabi'u Nura Faruk Kamal Abdulrahman
Abdulƙadir Sagir Hamza Junaidu Shu'aibu Ɗanasabe Audu Iliya Bitrus Ɗauda Ishaku Ayuba
""")
_HAUSA_WOMEN = _parts("""
Aisha Fatima Zainab Hauwa Maryam Amina Hadiza Rahma Halima Khadija Asma'u Ruƙayya Safiya Rabi
Hajara Ladi Binta Jamila Sa'adatu Bilkisu Nafisa Zulaihat Hassana Hussaina Salamatu Balaraba
Talatu Larai Asabe Jummai Ɗantala Rakiya Sumayya Aishatu Fatimah Ummi Murja Kaltume Inna Dudu
Adama Maimuna Rashida Ramatu Ni'ima Firdausi Habiba Laraba Mairo Gimbiya Kande Delu
""")
_HAUSA_SURNAMES = _parts("""
Abubakar Mohammed Ibrahim Musa Bello Usman Yusuf Sani Aliyu Garba Abdullahi Umar Lawal Ahmed
Suleiman Ɗangote Ɗantata Tafawa_Balewa Yar'adua Bayero Ribadu Kwankwaso Ganduje Tambuwal Wammako
Shinkafi Gusau Dutse Hadejia Kazaure Daura Katsina Funtua Malumfashi Zaria Kaduna Jega Argungu
Gwandu Yelwa Bauchi Ningi Azare Misau Gombe Kumo Dukku Yola Mubi Numan Jalingo Wukari Biu
Monguno Kukawa Gwoza Lamido Waziri Galadima Maƙama Sarki Maitama Ɗanmasani Ɗankwambo Sardauna
Ciroma Turaki Madaki Wali Ƙaura Dogara Jallo Jubril Atiku El-Rufai Gumi Danjuma Kyari Imam
Alkali Liman Zanna Shettima Kachalla Marwa
""")
_EDO_MEN = _parts("""
Osaze Efosa Osagie Nosa Osaretin Uyi Eghosa Osamuyi Aiyevbekpen Iyobosa Osaro Osas Amenze
Idemudia Osarobo Osayande Aigbe Ehigie Omoruyi Ikponmwosa Oseremen Ehizojie Eromosele Itohan
Oshiomhole Aziegbe
""")
_EDO_WOMEN = _parts("""
Osasu Itohan Isoken Efe Ivie Eseosa Adesuwa Osariemen Omosede Iyore Amenaghawon Ede Idia Emotan
Imuetinyan Ehinomen Ebehiremen Ọmọsẹfe Izẹhi Ọsẹmudiamẹn Uwaila Etinosa
""")
_EDO_SURNAMES = _parts("""
Igbinedion Osagie Ogbeide Idahosa Ighodaro Omoregie Obaseki Osunde Edebiri Aigbokhan Airhiavbere
Eweka Ehigiator Enabulele Erhabor Imasuen Iyamu Ogiemwonyi Ogieva Okungbowa Omorodion Osemwegie
Osifo Uwaifo Uwadiae Agbonlahor Aghahowa Asemota Oshiomhole Momodu Akhigbe Anenih Ẹhizuẹlẹn
Ọmọruyi Ekhator Izevbigie
""")
_EFIK_MEN = _parts("""
Edet Effiong Okon Asuquo Bassey Ekpenyong Etim Ekanem Ime Udo Akpan Nsikak Aniekan Ubong
Idorenyin Uduak Emem Otobong Imoh Mfon Inyang Efiọk Ọkọn Ẹdẹt Abasi Ekong Kufre Nse Ini Edidiong
Utibe Itoro
""")
_EFIK_WOMEN = _parts("""
Ekaette Arit Nkoyo Affiong Eno Idara Ime Uduak Mfon Imaobong Iniobong Adiaha Atim Ikwo Inemesit
Eme Ekemini Mayen Ndifreke Ọfọnime Nkọyọ Ansa Iquo Abasiama Utibeabasi Ini-Obong
""")
_EFIK_SURNAMES = _parts("""
Bassey Effiong Okon Etim Akpan Udoh Ekpo Essien Inyang Umoh Edem Ita Eyo Archibong Duke Henshaw
Ikpeme Nsa Offiong Otu Udofia Udosen Ukpong Usoro Akpabio Attah Ekpenyong Emmanuel Etuk Ibanga
Ndiyo Nyong Efiọng Ọkọnọ Ukọ Antai Eyamba Ephraim
""")
_IJAW_MEN = _parts("""
Tonye Ebiere Tamuno Tari Preye Ebikabowei Boma Dein Timi Diepreye Ayebatonye Tekena Ibiso Alabo
Dokubo Sọtọnye Ibinabọ Opuada Tubotamuno Miebaka Ebitimi Kemebradikumo Peremobowei Tamunoibim
Diriyai Timipre
""")
_IJAW_WOMEN = _parts("""
Ebiere Ibinabo Tonbra Ayebaemi Timiebi Preye Boma Daba Data Inatimi Alaere Ebinimi Sọibi Ibifuro
Nimi Tamunoala Diepriye Furo Ere Bomate Enebi
""")
_IJAW_SURNAMES = _parts("""
Alamieyeseigha Dickson Sylva Diri Dokubo Briggs Jaja Pepple Braide Horsfall Amachree Kalabari
Harry Georgewill Bob-Manuel Lawson Princewill Tamuno Wokoma Ebikeme Ogoriba Boro Clark Tompolo
Ekpemupolo Igali Okilo Orubebe Tarilah Ọruama Sẹkibo Oruwari Fubara Iyalla Bekinbo
""")
_TIV_MEN = _parts("""
Terver Aondoakaa Terseer Tersoo Iorfa Msugh Aondona Terhemba Orseer Aondover Tavershima Terkimbi
Ushahemba Saater Tyoor Iorliam Torkwase Nguher Akaa Shimave Aondohemba Sesugh Gbaeren
""")
_TIV_WOMEN = _parts("""
Mbakeren Doose Nguvan Msendoo Kashimana Ngodoo Mimidoo Dooshima Hembadoon Iveren Wandoo Nguseer
Sewuese Torkwase Mbaiwan Erdoo Mlumun Nguemo Member Shiminenge
""")
_TIV_SURNAMES = _parts("""
Akume Ortom Suswam Gemade Tarka Akiga Aper Ayu Iorkyaa Kpamor Adasu Unongo Torkula Agber
Ikyernum Ugba Gbillah Jime Shija Abagu Uba Kaan Iorapuu Anongo Mchia Nyitse Akaasar Hembe
Dzungwe Iyorchia Tyoden
""")
_URHOBO_MEN = _parts("""
Efe Oghenekaro Ovie Oghenetega Onoriode Ejiro Oghenerukevwe Ese Ufuoma Akpofure Tejiri
Oghenemaro Edewor Voke Ogaga Omamuyovwi Eruemrẹ Ọghẹnẹ Akpọ
""")
_URHOBO_WOMEN = _parts("""
Ese Oghenefejiro Efemena Ejiro Rukevwe Onome Ufuoma Mamus Akpevwe Oke Ochuko Ọmọtejohwo Eguono
Kessiena Edirin Ochuware Yoma Isio
""")
_URHOBO_SURNAMES = _parts("""
Ibori Onokpite Oghenekevwe Agbamu Edafe Omovie Akpomudiare Okpako Igho Emuobo Oborevwori
Omo-Agege Uduaghan Onosode Ojaide Eruotor Esiri Idodo Mukoro Okagbare Oteri Ughwanogho Umukoro
Erhiawarẹn Ọkpara Urhiafe
""")
_FRENCH_MEN = _parts("""
Jean-Pierre François Michel Koffi André René Éric Benoît Gérard Thierry Dieudonné Yves Jérôme
Stéphane Kouassi Mamadou Sékou Théophile Honoré Séraphin Cyrille Gaël Loïc
""")
_FRENCH_WOMEN = _parts("""
Hélène Amélie Chantal Françoise Thérèse Geneviève Adjoa Aïssatou Clémence Zoé Noémie Solène Léa
Inès Félicité Désirée Mireille Anaïs Béatrice
""")
_FRENCH_SURNAMES = _parts("""
Dossou Adjovi Koné Traoré Houngbédji Kouassi Agbéyomé Diabaté N'Guessan Mensah Dubois Lefèvre
Béranger Desprès Gagné Moreau Zinsou d'Almeida Ouédraogo Yaméogo Bédié Ahomadégbé Soglo
Gnassingbé Éboué
""")
_PORTUGUESE_MEN = _parts("""
João José António Sebastião Luís Simão Estêvão Joaquim Inácio Tomé Gonçalo Zé Fábio Cláudio
Nélson
""")
_PORTUGUESE_WOMEN = _parts("""
Conceição Maria Inês Lúcia Antónia Fátima Mónica Sónia Vitória Luísa Glória Flávia Íris Assunção
""")
_PORTUGUESE_SURNAMES = _parts("""
da_Silva dos_Santos Gonçalves da_Rocha Conceição Magalhães Simões de_Araújo Brandão Guimarães
Pereira Salvador Martins Medeiros Assumpção Falcão Leitão
""")
_LEBANESE_MEN = _parts("""
محمد=Mohamad علي=Ali جورج=Georges خليل=Khalil حسن=Hassan إلياس=Elias رامي=Rami سمير=Samir
نبيل=Nabil فادي=Fadi طوني=Tony جمال=Jamal زياد=Ziad كريم=Karim مروان=Marwan
""")
_LEBANESE_WOMEN = _parts("""
ليلى=Layla رنا=Rana ندى=Nada مايا=Maya فاطمة=Fatme سلمى=Salma هدى=Houda نادين=Nadine
جمانة=Joumana زينة=Zeina
""")
_LEBANESE_SURNAMES = _parts("""
خوري=Khoury حداد=Haddad شاغوري=Chagoury نصار=Nassar منصور=Mansour فرح=Farah سعد=Saad عون=Aoun
حايك=Hayek قاسم=Kassem شلهوب=Chalhoub نجار=Najjar غانم=Ghanem بيضون=Baydoun فواز=Fawaz
""")
_INDIAN_MEN = _parts("""
राजेश=Rajesh सुरेश=Suresh अनिल=Anil विजय=Vijay संजय=Sanjay अमित=Amit रमेश=Ramesh दीपक=Deepak
मनोज=Manoj अशोक=Ashok हरीश=Harish किशोर=Kishore राहुल=Rahul नरेश=Naresh प्रकाश=Prakash
""")
_INDIAN_WOMEN = _parts("""
प्रिया=Priya सुनीता=Sunita अनीता=Anita कविता=Kavita नेहा=Neha पूजा=Pooja लता=Lata मीना=Meena
राधा=Radha गीता=Geeta
""")
_INDIAN_SURNAMES = _parts("""
शर्मा=Sharma पटेल=Patel गुप्ता=Gupta सिंह=Singh वासवानी=Vaswani चेलाराम=Chellaram मेहता=Mehta
अग्रवाल=Agarwal कुमार=Kumar रेड्डी=Reddy नायर=Nair जोशी=Joshi कपूर=Kapoor मिश्रा=Mishra
देसाई=Desai
""")
_CHINESE_MEN = _parts("""
伟=Wei 强=Qiang 军=Jun 磊=Lei 建国=Jianguo 志强=Zhiqiang 明=Ming 浩=Hao
鹏=Peng 俊杰=Junjie 国华=Guohua 海涛=Haitao
""")
_CHINESE_WOMEN = _parts("""
芳=Fang 娜=Na 敏=Min 静=Jing 丽=Li 秀英=Xiuying 雪梅=Xuemei 婷=Ting 玉兰=Yulan 小红=Xiaohong
""")
_CHINESE_SURNAMES = _parts("""
王=Wang 李=Li 张=Zhang 刘=Liu 陈=Chen 杨=Yang 黄=Huang 赵=Zhao 吴=Wu 周=Zhou
徐=Xu 孙=Sun 马=Ma 林=Lin 欧阳=Ouyang
""")

# --- How a name is written ----------------------------------------------------------------------

# Called with the given name, a middle name and the surname.
_Form = Callable[[str, str, str], str]

_NAME_FORMS: list[_Form] = _table(
    (
        (lambda first, middle, last: f"{first} {last}", 52),
        (lambda first, middle, last: f"{last} {first}", 20),
        (lambda first, middle, last: f"{first} {middle} {last}", 8),
        (lambda first, middle, last: f"{last} {first} {middle}", 6),
        (lambda first, middle, last: f"{first} {middle[0]}. {last}", 4),
        (lambda first, middle, last: f"{last.upper()} {first}", 3),
        (lambda first, middle, last: f"{last}, {first}", 3),
        (lambda first, middle, last: f"{first[0]}. {last}", 2),
        (lambda first, middle, last: f"{first}-{middle} {last}", 2),
    )
)


def _chinese(first: str, _: str, last: str) -> str:
    """The surname first, and in Chinese characters no space between."""
    return f"{last} {first}" if last.isascii() else last + first


_CHINESE_FORMS: list[_Form] = [_chinese] * _SIZE

_CASES: list[Callable[[str], str]] = _table(((str, 87), (str.upper, 8), (str.lower, 5)))


def _titles(text: str) -> list[str]:
    """A table of titles, ready to stand before a name; the nameless entry is none."""
    return _table((f"{title} ".lstrip(), weight) for title, weight in _weighted(text))


_NO_TITLE = _titles("1")
_SOUTHERN_MEN = _titles("""
860; Mr 30; Mr. 20; Chief 30; Dr. 16; Engr. 16; Pastor 10; Barr. 6; Prof. 5; Prince 5; Sir 2
""")
_SOUTHERN_WOMEN = _titles("""
850; Mrs 50; Mrs. 30; Miss 20; Dr. 14; Dr (Mrs) 8; Chief Mrs 8; Barr. 8; Pastor 6; Prof. 3;
Princess 3
""")
_NORTHERN_MEN = _titles("800; Alhaji 90; Alh. 40; Mallam 40; Dr. 12; Engr. 10; Hon. 8")
_NORTHERN_WOMEN = _titles("830; Hajiya 90; Haj. 30; Mrs 30; Dr. 20")
_FOREIGN_MEN = _titles("90; Mr 7; Dr. 3")
_FOREIGN_WOMEN = _titles("90; Mrs 5; Ms 3; Dr. 2")


def _spellings(plain: int, nfc: int, nfd: int) -> list[int]:
    return _table(((_PLAIN, plain), (_NFC, nfc), (_NFD, nfd)))


class _Origin(NamedTuple):
    """Where a name is from: what it is made of and how it is written."""

    given: list[_Part]
    surnames: list[_Part]
    titles: list[str]
    spellings: list[int]
    forms: list[_Form]


def _origins() -> Iterator[tuple[_Origin, int]]:
    """All origins of men and women, each with its weight."""
    yoruba, igbo, hausa = _spellings(72, 21, 7), _spellings(70, 24, 6), _spellings(60, 40, 0)
    minority, latin, script = _spellings(75, 20, 5), _spellings(35, 55, 10), _spellings(75, 25, 0)
    southern = (_SOUTHERN_MEN, _SOUTHERN_WOMEN)
    northern = (_NORTHERN_MEN, _NORTHERN_WOMEN)
    foreign = (_FOREIGN_MEN, _FOREIGN_WOMEN)
    untitled = (_NO_TITLE, _NO_TITLE)
    usual = _NAME_FORMS
    # The third column: how many in a hundred go by an English given name.
    for weight, surnames, english, men, women, titles, spellings, forms in (
        (290, _YORUBA_SURNAMES, 25, _YORUBA_MEN, _YORUBA_WOMEN, southern, yoruba, usual),
        (250, _IGBO_SURNAMES, 45, _IGBO_MEN, _IGBO_WOMEN, southern, igbo, usual),
        (200, _HAUSA_SURNAMES, 2, _HAUSA_MEN, _HAUSA_WOMEN, northern, hausa, usual),
        (50, _EDO_SURNAMES, 50, _EDO_MEN, _EDO_WOMEN, southern, minority, usual),
        (50, _EFIK_SURNAMES, 50, _EFIK_MEN, _EFIK_WOMEN, southern, minority, usual),
        (30, _IJAW_SURNAMES, 50, _IJAW_MEN, _IJAW_WOMEN, southern, minority, usual),
        (30, _TIV_SURNAMES, 50, _TIV_MEN, _TIV_WOMEN, southern, minority, usual),
        (20, _URHOBO_SURNAMES, 50, _URHOBO_MEN, _URHOBO_WOMEN, southern, minority, usual),
        (30, _ENGLISH_SURNAMES, 99, _ENGLISH_MEN, _ENGLISH_WOMEN, foreign, latin, usual),
        (12, _FRENCH_SURNAMES, 3, _FRENCH_MEN, _FRENCH_WOMEN, foreign, latin, usual),
        (8, _PORTUGUESE_SURNAMES, 3, _PORTUGUESE_MEN, _PORTUGUESE_WOMEN, foreign, latin, usual),
        (10, _LEBANESE_SURNAMES, 0, _LEBANESE_MEN, _LEBANESE_WOMEN, untitled, script, usual),
        (10, _INDIAN_SURNAMES, 0, _INDIAN_MEN, _INDIAN_WOMEN, untitled, script, usual),
        (10, _CHINESE_SURNAMES, 0, _CHINESE_MEN, _CHINESE_WOMEN, untitled, script, _CHINESE_FORMS),
    ):  # fmt: skip
        table = _table(_zipf(surnames))
        for own, baptismal, title in zip(
            (men, women), (_ENGLISH_MEN, _ENGLISH_WOMEN), titles, strict=True
        ):
            given = _table([*_zipf(own, 100 - english), *_zipf(baptismal, english)])
            yield _Origin(given, table, title, spellings, forms), weight


_ORIGINS = _table(_origins())

# --- Companies ----------------------------------------------------------------------------------

_WORDS = _table(
    _zipf(
        _list("""
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
_TRADES = _table(
    _zipf(
        _list("""
Foods; Logistics; Energy; Farms; Motors; Pharmacy; Construction; Oil & Gas; Technologies;
Properties; Stores; Investments; Textiles; Fashion; Printing Press; Bakery; Hotels; Travels &
Tours; Electronics; Agro-Allied; Building Materials; Schools; Consulting; Communications;
Furniture; Plastics; Haulage; Medical Centre; Supermarket; Water; Engineering; Interiors;
Microfinance; Security Services; Auto Parts; Cosmetics; Fisheries; Poultry; Rice Mills; Solar;
Shipping; Event Centre; Catering Services; Telecoms; Steel; Cold Room; Merchandise
""")
    )
)
_LEGAL_FORMS = _table(
    _weighted("""
Ltd 22; Limited 12; Nigeria Ltd 15; Nig. Ltd 9; Nigeria Limited 7; Enterprises 11; Ventures 9;
Global Resources 4; Global Resources Ltd 2; Int'l Ltd 2; & Co. 2; Group 2; Holdings 1; PLC 2
""")
)

# Called with a given name, a surname, a word and a trade.
_COMPANY_FORMS: list[Callable[[str, str, str, str], str]] = _table(
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
_MAILBOXES = _table(
    _weighted("info 45; sales 18; accounts 10; admin 9; contact 8; hello 5; office 5")
)
# Called with the name of the company and one of the mailboxes. Many a small one has no domain.
_COMPANY_EMAILS: list[Callable[[str, str], tuple[str, str]]] = _table(
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

# --- Email, phone, address, tax number, balance -------------------------------------------------

# Called with the given name, the surname and a number, as of a year of birth.
_LOCAL_PARTS: list[_Form] = _table(
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
_NUMBERS = _table(
    (
        *((f"{year % 100:02d}", 6) for year in range(1960, 2007)),
        *((str(year), 2) for year in range(1960, 2007)),
        *((str(number), 2) for number in range(1, 100)),
        *((number, 8) for number in ("001", "007", "01", "10", "100", "123", "247", "419")),
    )
)
_DOMAINS = _table(
    _weighted("""
gmail.com 675; yahoo.com 155; hotmail.com 45; outlook.com 32; icloud.com 33; ymail.com 20;
yahoo.co.uk 25; live.com 8; protonmail.com 4; aol.com 3
""")
)

_PREFIXES = _table(
    _zipf(
        _list("""
803; 806; 802; 805; 703; 706; 813; 816; 810; 814; 903; 906; 701; 708; 808; 812; 807; 815; 809;
817; 818; 909; 908; 705; 811; 905; 902; 913; 916; 704; 707; 912; 915
""")
    )
)
# Called with the prefix of a network and seven digits.
_PHONE_FORMS: list[Callable[[str, str], str | None]] = _table(
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

_COMMON_STREETS = _list("""
Ahmadu Bello Way; Market Road; Church Street; Hospital Road; Station Road; School Road; Mission
Road; Old Market Road; Nnamdi Azikiwe Road; Awolowo Road; Herbert Macaulay Street; Murtala
Mohammed Way; Independence Avenue; Airport Road
""")
# A city; its areas; its streets. Common first, as everywhere.
_CITIES = """
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
_KINDS = ("Street", "Close", "Crescent", "Street", "Avenue", "Lane")


def _places() -> Iterator[tuple[str, list[str]]]:
    """Every area with the streets of its city: the known ones, and those named after somebody."""
    surnames = chain.from_iterable(
        zip(_YORUBA_SURNAMES, _IGBO_SURNAMES, _HAUSA_SURNAMES, strict=False)
    )
    named = [f"{part.plain} {kind}" for part, kind in zip(surnames, cycle(_KINDS), strict=False)]
    for entry in re.split(r"\n(?=\w)", _CITIES.strip()):
        city, areas, own = entry.split(":")
        streets = _table([*_zipf(_list(own), 45), *_zipf(_COMMON_STREETS, 15), *_zipf(named, 40)])
        for area in _list(areas):
            yield f"{area}, {city}", streets


_PLACES = _table(_zipf(_places()))
# Called with a number, a street and a place.
_ADDRESS_FORMS: list[Callable[[int, str, str], str | None]] = _table(
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
_TIN_FORMS: list[Callable[[int], str | None]] = _table(
    (
        (lambda n: f"{n:08d}-0001", 55),
        (lambda n: f"{2_300_000_000 + n}", 24),
        (lambda n: f"{2_026_000_000_000 + n * 97}", 10),
        (lambda n: f"{n:08d} - 0001", 2),
        (lambda n: f"{n:08d}/0001", 1),
        (lambda n: None, 8),
    )
)
_TINS = 10**8
_TIN_STEP = 38_196_601  # shares no factor with _TINS: a full round before any number comes again
_PEOPLE_WITH_TIN = _SIZE * 10 // 100

# A balance is a number of these units in kobo, of so many bits: small ones are many.
_UNITS = _table(((100, 45), (1, 20), (100_000, 15), (-100, 14), (-1, 6)))
_MAGNITUDES = _table(((0, 35), (7, 6), (9, 9), (11, 13), (13, 14), (15, 12), (17, 7), (20, 4)))


def people(count: int, seed: int = 0) -> Iterator[Person]:
    """The first `count` customers of the endless row that belongs to `seed`.

    The same on every Python, and no two share an email or (up to 10⁸ customers) a TIN. The
    emails given out are held in memory, about 150 bytes a customer.
    """
    bits = Random(seed).getrandbits  # noqa: S311 – made-up people, not secrets
    roll = partial(bits, _BITS)
    taken: set[str] = set()
    tax_number = bits(32)
    for _ in range(count):
        given, surnames, titles, spellings, forms = _ORIGINS[roll()]
        first, last = given[roll()], surnames[roll()]
        middle = given[roll()]
        while middle is first:
            middle = given[roll()]
        spelling = spellings[roll()]
        case = _CASES[roll()]
        form = forms[roll()]
        name = titles[roll()] + form(first[spelling], middle[spelling], last[spelling])
        company = None

        if roll() < _COMPANIES:
            word, trade = _WORDS[roll()], _TRADES[roll()]
            called = _COMPANY_FORMS[roll()]
            brand = called(first[spelling], last[spelling], word, trade)
            company = case(f"{brand} {_LEGAL_FORMS[roll()]}")
            if roll() >= _CONTACTS:
                name = brand if bits(1) else company
            # A label of a domain holds 63 characters at most.
            slug = _slug(called(first.slug, last.slug, word, trade))[:40]
            local, domain = _COMPANY_EMAILS[roll()](slug, _MAILBOXES[roll()])
        else:
            number = _NUMBERS[roll()]
            local = _LOCAL_PARTS[roll()](first.slug, last.slug, number)
            domain = _DOMAINS[roll()]

        email = f"{local}@{domain}"
        while email in taken:  # as people do: a number behind it, until it is free
            local += _NUMBERS[roll()]
            email = f"{local}@{domain}"
        taken.add(email)

        tax_number = (tax_number + _TIN_STEP) % _TINS
        taxed = company is not None or roll() < _PEOPLE_WITH_TIN
        place, streets = _PLACES[roll()]
        yield Person(
            case(name),
            email,
            _PHONE_FORMS[roll()](_PREFIXES[roll()], f"{bits(23):07d}"),
            _ADDRESS_FORMS[roll()](1 + bits(7), streets[roll()], place),
            _TIN_FORMS[roll()](tax_number) if taxed else None,
            company,
            _UNITS[roll()] * bits(_MAGNITUDES[roll()]),
        )
