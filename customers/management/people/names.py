"""Pools of names, the common first, and the origins that draw on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from customers.management.people.tables import (
    NFC,
    NFD,
    PLAIN,
    SIZE,
    Part,
    parts_of,
    table_of,
    weighted,
    zipf,
)

# --- Names, the common first --------------------------------------------------------------------

ENGLISH_MEN = parts_of("""
Emmanuel Samuel Daniel David Michael Joseph John Peter Paul Sunday Victor Godwin Stephen James
Anthony Solomon Joshua Moses Isaac Benjamin Francis Augustine Patrick Felix Kenneth Charles
Simon Philip Thomas George Mark Matthew Andrew Monday Friday Innocent Christopher Henry Richard
Robert William Jude Vincent Kingsley Lucky Festus Goodluck Clement Raymond Sylvester Gabriel
Raphael Ernest Gideon Elijah Nathaniel Timothy Jeremiah Ezekiel Reuben Bernard Fidelis Cletus
Boniface Cyril Desmond Nicholas Jonathan Wisdom Promise Prosper Destiny Bright Collins Frank
Julius Edwin Leonard Alfred Martins Caleb Silas Titus Barnabas Cosmas Celestine Basil Hyacinth
""")
ENGLISH_WOMEN = parts_of("""
Blessing Grace Mary Esther Joy Mercy Elizabeth Ruth Patience Favour Comfort Faith Victoria Peace
Rose Deborah Rebecca Sarah Janet Juliet Gift Precious Happiness Charity Florence Helen Stella
Agnes Martha Hannah Rachel Christiana Caroline Veronica Theresa Catherine Felicia Margaret
Josephine Rita Roseline Philomena Beatrice Angela Cynthia Gloria Vivian Lilian Jennifer Linda
Sandra Doris Edith Eunice Gladys Dorcas Lydia Naomi Abigail Priscilla Jane Monica Cecilia
Bridget Anthonia Benedicta Goodness Success Miracle Marvellous Winifred Rosemary Ifeanyichukwu
Clementina Scholastica Perpetua Evelyn Irene Joan
""")
ENGLISH_SURNAMES = parts_of("""
Johnson Williams Davies Cole Thomas George Smith Brown Jones Macaulay Taylor Roberts Coker Lewis
Doherty Phillips Crowther Wright Clarke Johnston Campbell Bright Wilson Harrison Walker Robinson
Hughes Green Edwards Turner Cooper Morgan Bell Murphy Bailey Kelly Howard Ward Cox Richardson
O'Connor O'Brien Byrne McKenzie MacDonald Stewart Fraser Hamilton Graham Reid Whyte Hart Manuel
Savage
""")
YORUBA_MEN = parts_of("""
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
YORUBA_WOMEN = parts_of("""
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
YORUBA_SURNAMES = parts_of("""
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
IGBO_MEN = parts_of("""
Chukwuemeka Ọbịnna Chinedu Emeka Ikechukwu Nnamdị Chidi Uchenna Kelechi Chibụzọ Ifeanyị Obiọra
Ebuka Chijioke Kenechukwu Okechukwu Onyeka Chidiebere Tochukwu Nnạmdị Chukwudi Ugochukwu Obinze
Arinze Chima Chike Chibueze Chinonso Somtochukwu Ekene Ikenna Uche Obi Nonso Azubuike Chukwuma
Chukwuka Nwabueze Anayọ Uzọchukwu Ọgbọnna Ndubụisi Lotanna Kamsiyọchukwu Chimaobi Maduabuchi
Iheanyị Onyekachukwu Ọdịnaka Echezọna Nwachukwu Obumneme Ọzọemena Ejike Jideofọ Kosisochukwu
Mmaduabuchi Olisa Okwuchukwu Udochukwu Chimezie Chigozie Chiemerie Chukwunonso Dumebi Ezenwa
Ifechukwu Sopuluchi Ụzọdinma Ekwueme Nkemdịlịm Tobechukwu Zikora
""")
IGBO_WOMEN = parts_of("""
Ngọzi Chioma Ifeọma Adaobi Nkechi Chinwe Amaka Adaeze Onyinye Uju Chiamaka Chidinma Ogechi
Amarachi Ebere Adanna Nneka Obiageli Ifeyinwa Ijeọma Chinyere Uchechi Nkiru Chizọba Ugochi
Oluchi Ezinne Kosara Nwakaego Adaọra Ọgọchukwu Uzọamaka Obiọma Ozioma Akụnna Ọbianụjụ Ụjụnwa
Nwanyịeze Mgbeọjị Ngọzichukwu Chikaọdị Chinenye Somadịna Chimamanda Urenna Ụgbọ Nwamaka Ada
Olanma Kambịlị Chiwetara Ifunanya Kamsi Munachi Nmesoma Onyedikachi Akuọma Ugonna Nnenna Nwando
""")
IGBO_SURNAMES = parts_of("""
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
HAUSA_MEN = parts_of("""
Abubakar Musa Ibrahim Mohammed Usman Aliyu Sani Ɗanladi Yusuf Umar Ahmed Suleiman Bello Garba
Ismail Yakubu Isa Hassan Aminu Kabiru Mustapha Haruna Sadiq Nasiru Abdullahi Shehu Ɗanjuma Lawal
Bashir Idris Salisu Murtala Tijjani Muhammadu Adamu Bala Hussaini Auwal Jibril Mu'azu Sa'idu
Ƙasimu Ɗahiru Zubairu Buhari Ɗanlami Nuhu Gambo Habu Tanko Maigari Baƙo Sambo Ɗanbaba Mamman
Modibbo Ardo Dikko Barkindo Girei Jauro Bappa Alkasim Rabi'u Nura Faruk Kamal Abdulrahman
Abdulƙadir Sagir Hamza Junaidu Shu'aibu Ɗanasabe Audu Iliya Bitrus Ɗauda Ishaku Ayuba
""")
HAUSA_WOMEN = parts_of("""
Aisha Fatima Zainab Hauwa Maryam Amina Hadiza Rahma Halima Khadija Asma'u Ruƙayya Safiya Rabi
Hajara Ladi Binta Jamila Sa'adatu Bilkisu Nafisa Zulaihat Hassana Hussaina Salamatu Balaraba
Talatu Larai Asabe Jummai Ɗantala Rakiya Sumayya Aishatu Fatimah Ummi Murja Kaltume Inna Dudu
Adama Maimuna Rashida Ramatu Ni'ima Firdausi Habiba Laraba Mairo Gimbiya Kande Delu
""")
HAUSA_SURNAMES = parts_of("""
Abubakar Mohammed Ibrahim Musa Bello Usman Yusuf Sani Aliyu Garba Abdullahi Umar Lawal Ahmed
Suleiman Ɗangote Ɗantata Tafawa_Balewa Yar'adua Bayero Ribadu Kwankwaso Ganduje Tambuwal Wammako
Shinkafi Gusau Dutse Hadejia Kazaure Daura Katsina Funtua Malumfashi Zaria Kaduna Jega Argungu
Gwandu Yelwa Bauchi Ningi Azare Misau Gombe Kumo Dukku Yola Mubi Numan Jalingo Wukari Biu
Monguno Kukawa Gwoza Lamido Waziri Galadima Maƙama Sarki Maitama Ɗanmasani Ɗankwambo Sardauna
Ciroma Turaki Madaki Wali Ƙaura Dogara Jallo Jubril Atiku El-Rufai Gumi Danjuma Kyari Imam
Alkali Liman Zanna Shettima Kachalla Marwa
""")
EDO_MEN = parts_of("""
Osaze Efosa Osagie Nosa Osaretin Uyi Eghosa Osamuyi Aiyevbekpen Iyobosa Osaro Osas Amenze
Idemudia Osarobo Osayande Aigbe Ehigie Omoruyi Ikponmwosa Oseremen Ehizojie Eromosele Itohan
Oshiomhole Aziegbe
""")
EDO_WOMEN = parts_of("""
Osasu Itohan Isoken Efe Ivie Eseosa Adesuwa Osariemen Omosede Iyore Amenaghawon Ede Idia Emotan
Imuetinyan Ehinomen Ebehiremen Ọmọsẹfe Izẹhi Ọsẹmudiamẹn Uwaila Etinosa
""")
EDO_SURNAMES = parts_of("""
Igbinedion Osagie Ogbeide Idahosa Ighodaro Omoregie Obaseki Osunde Edebiri Aigbokhan Airhiavbere
Eweka Ehigiator Enabulele Erhabor Imasuen Iyamu Ogiemwonyi Ogieva Okungbowa Omorodion Osemwegie
Osifo Uwaifo Uwadiae Agbonlahor Aghahowa Asemota Oshiomhole Momodu Akhigbe Anenih Ẹhizuẹlẹn
Ọmọruyi Ekhator Izevbigie
""")
EFIK_MEN = parts_of("""
Edet Effiong Okon Asuquo Bassey Ekpenyong Etim Ekanem Ime Udo Akpan Nsikak Aniekan Ubong
Idorenyin Uduak Emem Otobong Imoh Mfon Inyang Efiọk Ọkọn Ẹdẹt Abasi Ekong Kufre Nse Ini Edidiong
Utibe Itoro
""")
EFIK_WOMEN = parts_of("""
Ekaette Arit Nkoyo Affiong Eno Idara Ime Uduak Mfon Imaobong Iniobong Adiaha Atim Ikwo Inemesit
Eme Ekemini Mayen Ndifreke Ọfọnime Nkọyọ Ansa Iquo Abasiama Utibeabasi Ini-Obong
""")
EFIK_SURNAMES = parts_of("""
Bassey Effiong Okon Etim Akpan Udoh Ekpo Essien Inyang Umoh Edem Ita Eyo Archibong Duke Henshaw
Ikpeme Nsa Offiong Otu Udofia Udosen Ukpong Usoro Akpabio Attah Ekpenyong Emmanuel Etuk Ibanga
Ndiyo Nyong Efiọng Ọkọnọ Ukọ Antai Eyamba Ephraim
""")
IJAW_MEN = parts_of("""
Tonye Ebiere Tamuno Tari Preye Ebikabowei Boma Dein Timi Diepreye Ayebatonye Tekena Ibiso Alabo
Dokubo Sọtọnye Ibinabọ Opuada Tubotamuno Miebaka Ebitimi Kemebradikumo Peremobowei Tamunoibim
Diriyai Timipre
""")
IJAW_WOMEN = parts_of("""
Ebiere Ibinabo Tonbra Ayebaemi Timiebi Preye Boma Daba Data Inatimi Alaere Ebinimi Sọibi Ibifuro
Nimi Tamunoala Diepriye Furo Ere Bomate Enebi
""")
IJAW_SURNAMES = parts_of("""
Alamieyeseigha Dickson Sylva Diri Dokubo Briggs Jaja Pepple Braide Horsfall Amachree Kalabari
Harry Georgewill Bob-Manuel Lawson Princewill Tamuno Wokoma Ebikeme Ogoriba Boro Clark Tompolo
Ekpemupolo Igali Okilo Orubebe Tarilah Ọruama Sẹkibo Oruwari Fubara Iyalla Bekinbo
""")
TIV_MEN = parts_of("""
Terver Aondoakaa Terseer Tersoo Iorfa Msugh Aondona Terhemba Orseer Aondover Tavershima Terkimbi
Ushahemba Saater Tyoor Iorliam Torkwase Nguher Akaa Shimave Aondohemba Sesugh Gbaeren
""")
TIV_WOMEN = parts_of("""
Mbakeren Doose Nguvan Msendoo Kashimana Ngodoo Mimidoo Dooshima Hembadoon Iveren Wandoo Nguseer
Sewuese Torkwase Mbaiwan Erdoo Mlumun Nguemo Member Shiminenge
""")
TIV_SURNAMES = parts_of("""
Akume Ortom Suswam Gemade Tarka Akiga Aper Ayu Iorkyaa Kpamor Adasu Unongo Torkula Agber
Ikyernum Ugba Gbillah Jime Shija Abagu Uba Kaan Iorapuu Anongo Mchia Nyitse Akaasar Hembe
Dzungwe Iyorchia Tyoden
""")
URHOBO_MEN = parts_of("""
Efe Oghenekaro Ovie Oghenetega Onoriode Ejiro Oghenerukevwe Ese Ufuoma Akpofure Tejiri
Oghenemaro Edewor Voke Ogaga Omamuyovwi Eruemrẹ Ọghẹnẹ Akpọ
""")
URHOBO_WOMEN = parts_of("""
Ese Oghenefejiro Efemena Ejiro Rukevwe Onome Ufuoma Mamus Akpevwe Oke Ochuko Ọmọtejohwo Eguono
Kessiena Edirin Ochuware Yoma Isio
""")
URHOBO_SURNAMES = parts_of("""
Ibori Onokpite Oghenekevwe Agbamu Edafe Omovie Akpomudiare Okpako Igho Emuobo Oborevwori
Omo-Agege Uduaghan Onosode Ojaide Eruotor Esiri Idodo Mukoro Okagbare Oteri Ughwanogho Umukoro
Erhiawarẹn Ọkpara Urhiafe
""")
FRENCH_MEN = parts_of("""
Jean-Pierre François Michel Koffi André René Éric Benoît Gérard Thierry Dieudonné Yves Jérôme
Stéphane Kouassi Mamadou Sékou Théophile Honoré Séraphin Cyrille Gaël Loïc
""")
FRENCH_WOMEN = parts_of("""
Hélène Amélie Chantal Françoise Thérèse Geneviève Adjoa Aïssatou Clémence Zoé Noémie Solène Léa
Inès Félicité Désirée Mireille Anaïs Béatrice
""")
FRENCH_SURNAMES = parts_of("""
Dossou Adjovi Koné Traoré Houngbédji Kouassi Agbéyomé Diabaté N'Guessan Mensah Dubois Lefèvre
Béranger Desprès Gagné Moreau Zinsou d'Almeida Ouédraogo Yaméogo Bédié Ahomadégbé Soglo
Gnassingbé Éboué
""")
PORTUGUESE_MEN = parts_of("""
João José António Sebastião Luís Simão Estêvão Joaquim Inácio Tomé Gonçalo Zé Fábio Cláudio
Nélson
""")
PORTUGUESE_WOMEN = parts_of("""
Conceição Maria Inês Lúcia Antónia Fátima Mónica Sónia Vitória Luísa Glória Flávia Íris Assunção
""")
PORTUGUESE_SURNAMES = parts_of("""
da_Silva dos_Santos Gonçalves da_Rocha Conceição Magalhães Simões de_Araújo Brandão Guimarães
Pereira Salvador Martins Medeiros Assumpção Falcão Leitão
""")
LEBANESE_MEN = parts_of("""
محمد=Mohamad علي=Ali جورج=Georges خليل=Khalil حسن=Hassan إلياس=Elias رامي=Rami سمير=Samir
نبيل=Nabil فادي=Fadi طوني=Tony جمال=Jamal زياد=Ziad كريم=Karim مروان=Marwan
""")
LEBANESE_WOMEN = parts_of("""
ليلى=Layla رنا=Rana ندى=Nada مايا=Maya فاطمة=Fatme سلمى=Salma هدى=Houda نادين=Nadine
جمانة=Joumana زينة=Zeina
""")
LEBANESE_SURNAMES = parts_of("""
خوري=Khoury حداد=Haddad شاغوري=Chagoury نصار=Nassar منصور=Mansour فرح=Farah سعد=Saad عون=Aoun
حايك=Hayek قاسم=Kassem شلهوب=Chalhoub نجار=Najjar غانم=Ghanem بيضون=Baydoun فواز=Fawaz
""")
INDIAN_MEN = parts_of("""
राजेश=Rajesh सुरेश=Suresh अनिल=Anil विजय=Vijay संजय=Sanjay अमित=Amit रमेश=Ramesh दीपक=Deepak
मनोज=Manoj अशोक=Ashok हरीश=Harish किशोर=Kishore राहुल=Rahul नरेश=Naresh प्रकाश=Prakash
""")
INDIAN_WOMEN = parts_of("""
प्रिया=Priya सुनीता=Sunita अनीता=Anita कविता=Kavita नेहा=Neha पूजा=Pooja लता=Lata मीना=Meena
राधा=Radha गीता=Geeta
""")
INDIAN_SURNAMES = parts_of("""
शर्मा=Sharma पटेल=Patel गुप्ता=Gupta सिंह=Singh वासवानी=Vaswani चेलाराम=Chellaram मेहता=Mehta
अग्रवाल=Agarwal कुमार=Kumar रेड्डी=Reddy नायर=Nair जोशी=Joshi कपूर=Kapoor मिश्रा=Mishra
देसाई=Desai
""")
CHINESE_MEN = parts_of("""
伟=Wei 强=Qiang 军=Jun 磊=Lei 建国=Jianguo 志强=Zhiqiang 明=Ming 浩=Hao
鹏=Peng 俊杰=Junjie 国华=Guohua 海涛=Haitao
""")
CHINESE_WOMEN = parts_of("""
芳=Fang 娜=Na 敏=Min 静=Jing 丽=Li 秀英=Xiuying 雪梅=Xuemei 婷=Ting 玉兰=Yulan 小红=Xiaohong
""")
CHINESE_SURNAMES = parts_of("""
王=Wang 李=Li 张=Zhang 刘=Liu 陈=Chen 杨=Yang 黄=Huang 赵=Zhao 吴=Wu 周=Zhou
徐=Xu 孙=Sun 马=Ma 林=Lin 欧阳=Ouyang
""")

# --- How a name is written ----------------------------------------------------------------------

# Called with the given name, a middle name and the surname.
Form = Callable[[str, str, str], str]

NAME_FORMS: list[Form] = table_of(
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


def chinese(first: str, _: str, last: str) -> str:
    """The surname first, and in Chinese characters no space between."""
    return f"{last} {first}" if last.isascii() else last + first


CHINESE_FORMS: list[Form] = [chinese] * SIZE

CASES: list[Callable[[str], str]] = table_of(((str, 87), (str.upper, 8), (str.lower, 5)))


def titles_of(text: str) -> list[str]:
    """A table of titles, ready to stand before a name; the nameless entry is none."""
    return table_of((f"{title} ".lstrip(), weight) for title, weight in weighted(text))


NO_TITLE = titles_of("1")
SOUTHERN_MEN = titles_of("""
860; Mr 30; Mr. 20; Chief 30; Dr. 16; Engr. 16; Pastor 10; Barr. 6; Prof. 5; Prince 5; Sir 2
""")
SOUTHERN_WOMEN = titles_of("""
850; Mrs 50; Mrs. 30; Miss 20; Dr. 14; Dr (Mrs) 8; Chief Mrs 8; Barr. 8; Pastor 6; Prof. 3;
Princess 3
""")
NORTHERN_MEN = titles_of("800; Alhaji 90; Alh. 40; Mallam 40; Dr. 12; Engr. 10; Hon. 8")
NORTHERN_WOMEN = titles_of("830; Hajiya 90; Haj. 30; Mrs 30; Dr. 20")
FOREIGN_MEN = titles_of("90; Mr 7; Dr. 3")
FOREIGN_WOMEN = titles_of("90; Mrs 5; Ms 3; Dr. 2")


def spellings_of(plain: int, nfc: int, nfd: int) -> list[int]:
    return table_of(((PLAIN, plain), (NFC, nfc), (NFD, nfd)))


class Origin(NamedTuple):
    """Where a name is from: what it is made of and how it is written."""

    given: list[Part]
    surnames: list[Part]
    titles: list[str]
    spellings: list[int]
    forms: list[Form]


def all_origins() -> Iterator[tuple[Origin, int]]:
    """All origins of men and women, each with its weight."""
    yoruba, igbo, hausa = spellings_of(72, 21, 7), spellings_of(70, 24, 6), spellings_of(60, 40, 0)
    minority, latin, script = (
        spellings_of(75, 20, 5),
        spellings_of(35, 55, 10),
        spellings_of(75, 25, 0),
    )
    southern = (SOUTHERN_MEN, SOUTHERN_WOMEN)
    northern = (NORTHERN_MEN, NORTHERN_WOMEN)
    foreign = (FOREIGN_MEN, FOREIGN_WOMEN)
    untitled = (NO_TITLE, NO_TITLE)
    usual = NAME_FORMS
    # The third column: how many in a hundred go by an English given name.
    for weight, surnames, english, men, women, titles, spellings, forms in (
        (290, YORUBA_SURNAMES, 25, YORUBA_MEN, YORUBA_WOMEN, southern, yoruba, usual),
        (250, IGBO_SURNAMES, 45, IGBO_MEN, IGBO_WOMEN, southern, igbo, usual),
        (200, HAUSA_SURNAMES, 2, HAUSA_MEN, HAUSA_WOMEN, northern, hausa, usual),
        (50, EDO_SURNAMES, 50, EDO_MEN, EDO_WOMEN, southern, minority, usual),
        (50, EFIK_SURNAMES, 50, EFIK_MEN, EFIK_WOMEN, southern, minority, usual),
        (30, IJAW_SURNAMES, 50, IJAW_MEN, IJAW_WOMEN, southern, minority, usual),
        (30, TIV_SURNAMES, 50, TIV_MEN, TIV_WOMEN, southern, minority, usual),
        (20, URHOBO_SURNAMES, 50, URHOBO_MEN, URHOBO_WOMEN, southern, minority, usual),
        (30, ENGLISH_SURNAMES, 99, ENGLISH_MEN, ENGLISH_WOMEN, foreign, latin, usual),
        (12, FRENCH_SURNAMES, 3, FRENCH_MEN, FRENCH_WOMEN, foreign, latin, usual),
        (8, PORTUGUESE_SURNAMES, 3, PORTUGUESE_MEN, PORTUGUESE_WOMEN, foreign, latin, usual),
        (10, LEBANESE_SURNAMES, 0, LEBANESE_MEN, LEBANESE_WOMEN, untitled, script, usual),
        (10, INDIAN_SURNAMES, 0, INDIAN_MEN, INDIAN_WOMEN, untitled, script, usual),
        (10, CHINESE_SURNAMES, 0, CHINESE_MEN, CHINESE_WOMEN, untitled, script, CHINESE_FORMS),
    ):  # fmt: skip
        table = table_of(zipf(surnames))
        for own, baptismal, title in zip(
            (men, women), (ENGLISH_MEN, ENGLISH_WOMEN), titles, strict=True
        ):
            given = table_of([*zipf(own, 100 - english), *zipf(baptismal, english)])
            yield Origin(given, table, title, spellings, forms), weight


ORIGINS = table_of(all_origins())
