"""What is said in the pictures, in several scripts: long enough to fill the captions."""

from __future__ import annotations

from dataclasses import replace

from model_backends.base import Word
from tests.ui.overlay_fakes import words

TEXTS = {
    "en": (
        "Good morning, everyone. The frost had settled on the fields overnight, and we were, as "
        "my grandmother used to say, cold in the bones but warm in the heart. Then the kettle "
        "began to sing, and somebody laughed, and the long day could begin at last."
    ),
    "de": (
        "Guten Morgen zusammen. Über Nacht hatte sich Reif auf die Felder gelegt, und wir waren, "
        "wie meine Großmutter sagte, in den Knochen kalt, aber im Herzen warm. Dann begann der "
        "Kessel zu singen, jemand lachte, und der lange Tag konnte endlich beginnen."
    ),
    "es": (
        "Buenos días a todos. La escarcha había caído de noche sobre los campos y teníamos, como "
        "decía mi abuela, frío en los huesos pero calor en el corazón. Entonces la tetera empezó a "
        "cantar, alguien se rio y el largo día por fin pudo comenzar."
    ),
    "fr": (
        "Bonjour à tous. Le givre couvrait les champs depuis la nuit, et nous avions tous, "
        "comme disait ma grand-mère, froid dans les os mais chaud au cœur. Puis la bouilloire se "
        "mit à chanter, quelqu’un rit, et la longue journée put enfin commencer."
    ),
    "ar": (
        "صباح الخير جميعا. كان الصقيع قد استقر على الحقول طوال الليل، وكنا كما كانت جدتي تقول "
        "نشعر بالبرد في العظام ولكن بالدفء في القلب. ثم بدأت الغلاية تغني، وضحك أحدهم، وأصبح "
        "بإمكان اليوم الطويل أن يبدأ أخيرا."
    ),
    "hi": (
        "सुप्रभात सबको। रात भर खेतों पर पाला जम गया था, और जैसा मेरी दादी कहा करती थीं, हम "
        "हड्डियों तक ठंडे थे पर दिल से गर्म थे। फिर केतली गाने लगी, कोई हँसा, और लंबा दिन आख़िर "
        "शुरू हो सका।"
    ),
    "ja": (
        "皆さん、 おはよう ございます。 一晩で 畑に 霜が 降りて、 祖母が よく 言って いた ように、 "
        "体は 骨まで 冷えて いましたが、 心は 温かかった のです。 やがて やかんが 歌い 始め、 "
        "誰かが 笑い、 長い 一日が ようやく 始まりました。"
    ),
}


def said(script: str, repeats: int = 1, lane: str = "me") -> list[Word]:
    """The text, one word a quarter of a second; Japanese without the spaces between its words."""
    spoken = words(" ".join([TEXTS[script]] * repeats), script)
    if script == "ja":
        spoken = [replace(word, text=word.text.strip()) for word in spoken]
    return [replace(word, lane=lane) for word in spoken]
