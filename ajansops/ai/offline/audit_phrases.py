"""Every word that the offline provider says about numbers. Labels before a colon: no suffix has to fit a name."""

from dataclasses import dataclass

from ajansops.kit.language import Language


@dataclass(frozen=True, slots=True)
class Words:
    """Of one language."""

    value: str
    usual: str
    change: str
    severity: str
    severities: tuple[str, str, str, str]  # as `contract.Severity`
    worse: str
    better: str
    depends: str
    others: str
    median: str  # how many entities, their median
    apart: str
    entities: str
    deviations: str
    unfavourable: str
    score: str
    first: str
    quiet: str
    no_cause: str
    no_evidence: str
    all_there_is: str


WORDS = {
    Language.EN: Words(
        value="Value",
        usual="Usual",
        change="Change",
        severity="Severity",
        severities=("critical", "high", "medium", "low"),
        worse="For this metric that direction is unfavourable.",
        better="For this metric that direction is favourable.",
        depends="Whether that is good depends on the goal.",
        others="Other figures of it",
        median="Median of the {count} entities with this metric: {median}.",
        apart="far from the others",
        entities="Entities",
        deviations="Deviations",
        unfavourable="Unfavourable",
        score="Health score",
        first="Most important",
        quiet="Nothing in the given figures deviates from what is usual.",
        no_cause="The evidence says how much it changed, not why.",
        no_evidence="This insight came without evidence, so there is nothing that could be said about it.",
        all_there_is="This is all that the insight's evidence holds.",
    ),
    Language.TR: Words(
        value="Değer",
        usual="Alışılmış",
        change="Değişim",
        severity="Önem",
        severities=("kritik", "yüksek", "orta", "düşük"),
        worse="Bu metrik için bu yön olumsuzdur.",
        better="Bu metrik için bu yön olumludur.",
        depends="Bunun iyi olup olmadığı hedefe bağlıdır.",
        others="Diğer değerleri",
        median="Bu metriğe sahip {count} öğenin medyanı: {median}.",
        apart="diğerlerinden uzak",
        entities="Öğeler",
        deviations="Sapmalar",
        unfavourable="Olumsuz olanlar",
        score="Sağlık puanı",
        first="En önemlisi",
        quiet="Verilen değerlerde alışılmıştan sapan bir şey yok.",
        no_cause="Kanıt ne kadar değiştiğini söylüyor, neden değiştiğini söylemiyor.",
        no_evidence="Bu içgörü kanıtsız geldi; bu yüzden hakkında söylenebilecek bir şey yok.",
        all_there_is="İçgörünün kanıtında bundan fazlası yok.",
    ),
    Language.HU: Words(
        value="Érték",
        usual="Szokásos",
        change="Változás",
        severity="Súlyosság",
        severities=("kritikus", "magas", "közepes", "alacsony"),
        worse="Ennél a mutatónál ez az irány kedvezőtlen.",
        better="Ennél a mutatónál ez az irány kedvező.",
        depends="Hogy ez jó-e, a céltól függ.",
        others="További értékei",
        median="A mutatóval rendelkező {count} elem mediánja: {median}.",
        apart="messze a többitől",
        entities="Elemek",
        deviations="Eltérések",
        unfavourable="Ebből kedvezőtlen",
        score="Állapotpontszám",
        first="A legfontosabb",
        quiet="A megadott értékekben semmi sem tér el a szokásostól.",
        no_cause="A bizonyíték azt mondja meg, mennyit változott, azt nem, hogy miért.",
        no_evidence="Ez a megállapítás bizonyíték nélkül érkezett, ezért nincs mit mondani róla.",
        all_there_is="A megállapítás bizonyítéka ennyit tartalmaz.",
    ),
}
