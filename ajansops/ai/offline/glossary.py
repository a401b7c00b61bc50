"""English shop words in Turkish and Hungarian.

Only labels, category names and tags that are whole entries here are translated. Free text never is: put together word
by word it would be wrong in both languages (suffixes, vowel harmony, word order), and a wrong sentence is worse than a
foreign one.
"""

from ajansops.ai.offline.words import capital, fold, lower, words
from ajansops.kit.language import Language

# Each entry: the English, the Turkish and the Hungarian word.
_LABELS = """
size=boyut=méret; color=renk=szín; colour=renk=szín; material=malzeme=anyag; style=stil=stílus; weight=ağırlık=súly;
width=genişlik=szélesség; height=yükseklik=magasság; length=uzunluk=hosszúság; depth=derinlik=mélység;
dimensions=ölçüler=méretek; diameter=çap=átmérő; capacity=kapasite=űrtartalom; volume=hacim=térfogat;
pattern=desen=minta; shape=şekil=forma; scent=koku=illat; finish=yüzey=felület; model=model=modell; pack=paket=csomag;
quantity=adet=mennyiség; room=oda=helyiség; season=sezon=évszak; gender=cinsiyet=nem; condition=durum=állapot;
type=tür=típus; product type=ürün türü=terméktípus; flavor=aroma=íz; flavour=aroma=íz; age group=yaş grubu=korcsoport;
fabric=kumaş=szövet; design=tasarım=dizájn; collection=koleksiyon=kollekció
"""
_NOUNS = """
red=kırmızı=piros; orange=turuncu=narancssárga; yellow=sarı=sárga; green=yeşil=zöld; blue=mavi=kék;
navy=lacivert=sötétkék; turquoise=turkuaz=türkiz; purple=mor=lila; pink=pembe=rózsaszín; brown=kahverengi=barna;
beige=bej=bézs; cream=krem=krém; black=siyah=fekete; white=beyaz=fehér; grey=gri=szürke; gray=gri=szürke;
gold=altın=arany; silver=gümüş=ezüst; wood=ahşap=fa; wooden=ahşap=fa; metal=metal=fém; steel=çelik=acél;
iron=demir=vas; copper=bakır=réz; brass=pirinç=sárgaréz; aluminium=alüminyum=alumínium; glass=cam=üveg;
ceramic=seramik=kerámia; clay=kil=agyag; porcelain=porselen=porcelán; stone=taş=kő; marble=mermer=márvány;
plastic=plastik=műanyag; rubber=kauçuk=gumi; paper=kağıt=papír; cardboard=karton=karton; leather=deri=bőr;
cotton=pamuk=pamut; wool=yün=gyapjú; linen=keten=len; silk=ipek=selyem; velvet=kadife=bársony; bamboo=bambu=bambusz;
rattan=rattan=rattan; knitted=örgü=kötött; vanilla=vanilya=vanília; lavender=lavanta=levendula;
indoor=iç mekan=beltér; outdoor=dış mekan=kültér; home=ev=otthon; house=ev=ház; garden=bahçe=kert;
gardening=bahçecilik=kertészkedés; kitchen=mutfak=konyha; bedroom=yatak odası=hálószoba; bathroom=banyo=fürdőszoba;
living room=oturma odası=nappali; office=ofis=iroda; balcony=balkon=erkély; terrace=teras=terasz;
dining room=yemek odası=étkező; furniture=mobilya=bútor; sofa=kanepe=kanapé;
couch=kanepe=kanapé; chair=sandalye=szék; armchair=koltuk=fotel; table=masa=asztal; desk=çalışma masası=íróasztal;
bed=yatak=ágy; bedding=yatak takımı=ágynemű; pillow=yastık=párna; cushion=minder=párna; blanket=battaniye=takaró;
carpet=halı=szőnyeg; rug=halı=szőnyeg; curtain=perde=függöny; lamp=lamba=lámpa; light=aydınlatma=világítás;
lighting=aydınlatma=világítás; candle=mum=gyertya; mirror=ayna=tükör; clock=saat=óra; shelf=raf=polc;
drawers=çekmeceli dolap=fiókos szekrény; wardrobe=gardırop=gardrób; beanbag=armut koltuk=babzsák; frame=çerçeve=keret;
vase=vazo=váza; pot=saksı=cserép; planter=saksı=virágtartó; plant=bitki=növény; flower=çiçek=virág; tree=ağaç=fa;
seed=tohum=vetőmag; fence=çit=kerítés; tool=alet=szerszám; decor=dekorasyon=dekoráció;
decoration=dekorasyon=dekoráció; gift=hediye=ajándék; toy=oyuncak=játék; cup=fincan=csésze;
mug=kupa=bögre; plate=tabak=tányér; bowl=kase=tál; bottle=şişe=palack; bag=çanta=táska;
backpack=sırt çantası=hátizsák; wallet=cüzdan=pénztárca; belt=kemer=öv; shoe=ayakkabı=cipő; boot=bot=csizma;
sock=çorap=zokni; shirt=gömlek=ing; t-shirt=tişört=póló; dress=elbise=ruha; skirt=etek=szoknya;
trousers=pantolon=nadrág; jacket=ceket=dzseki; coat=palto=kabát; hat=şapka=kalap; scarf=atkı=sál;
glove=eldiven=kesztyű; jewelry=takı=ékszer; jewellery=takı=ékszer; ring=yüzük=gyűrű; necklace=kolye=nyaklánc;
bracelet=bilezik=karkötő; earring=küpe=fülbevaló; watch=kol saati=karóra; book=kitap=könyv; women=kadın=női;
men=erkek=férfi; kids=çocuk=gyerek; baby=bebek=baba; antique=antika=antik; vintage=vintage=vintage;
handmade=el yapımı=kézműves; biodegradable=biyobozunur=biológiailag lebomló
"""


def _entries(table: str) -> dict[str, dict[Language, str]]:
    rows = ([cell.strip() for cell in entry.split("=")] for entry in " ".join(table.split()).split(";"))
    return {fold(english): {Language.TR: turkish, Language.HU: hungarian} for english, turkish, hungarian in rows}


_LABEL_ENTRIES = _entries(_LABELS)
_NOUN_ENTRIES = _entries(_NOUNS)
_KNOWN = {
    language: {fold(entry[language]) for entry in _NOUN_ENTRIES.values()} for language in (Language.TR, Language.HU)
}
# Clear as a shop's own tag, but in a sentence "light blue" is no lamp and a "watch" may be a verb.
_AMBIGUOUS = frozenset(
    ["light", "iron", "watch", "ring", "plate", "frame", "belt", "book", "men", "stone", "table", "bed"]
)


def _singulars(folded: str) -> tuple[str, ...]:
    return (folded, folded.removesuffix("s"), folded.removesuffix("es"))


def noun(text: str, language: Language) -> str | None:
    """A tag or category name in `language`, lower case; None when unknown, and always for English."""
    if language is Language.EN:
        return None
    return next(
        (_NOUN_ENTRIES[form][language] for form in _singulars(fold(text.strip())) if form in _NOUN_ENTRIES), None
    )


def is_english(text: str) -> bool:
    """Whether `text` has an English entry of this glossary that is no Turkish or Hungarian word as well ("metal")."""
    return any(_is_entry(word) for word in words(text) if all(word not in known for known in _KNOWN.values()))


def _is_entry(word: str) -> bool:
    return any(form in _NOUN_ENTRIES for form in _singulars(fold(word)))


def shop_word(word: str, language: Language) -> str | None:
    """A single word of running text as a tag in `language`; None unless the word means one thing wherever it stands."""
    if fold(word) in _AMBIGUOUS:
        return None
    if language is Language.EN:
        return fold(word) if _is_entry(word) else None
    return noun(word, language) or (fold(word) in _KNOWN[language] and lower(word, language)) or None


def label(name: str, language: Language) -> str:
    """An attribute's name in `language`, as given when unknown."""
    entry = _LABEL_ENTRIES.get(fold(name.strip()))
    if entry is None:
        return name
    return name if language is Language.EN else capital(entry[language], language)


def category(name: str, language: Language) -> str:
    """A category name or path ("Home > Garden"), translated only when every step is known: half of one reads badly."""
    steps = [step.strip() for step in name.split(">")]
    known = [noun(step, language) for step in steps]
    return " > ".join(capital(step, language) for step in known if step) if all(known) else name
