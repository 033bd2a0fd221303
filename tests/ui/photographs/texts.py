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
    "zh": (
        "大家 早上 好。 一夜 之间 田野 里 落 了 一层 霜， 就 像 我 奶奶 常 说 的 那样， 我们 冷 在 "
        "骨头 里， 暖 在 心里。 后来 水壶 开始 唱歌， 有人 笑 了， 漫长 的 一天 终于 可以 开始 了。"
    ),
    "ko": (
        "여러분, 좋은 아침입니다. 밤사이 들판에 서리가 내렸고, 할머니가 늘 말씀하시던 것처럼 "
        "우리는 뼛속까지 추웠지만 마음만은 따뜻했습니다. 그때 주전자가 노래하기 시작했고, 누군가 "
        "웃었고, 긴 하루가 마침내 시작되었습니다."
    ),
    "th": (
        "สวัสดี ตอน เช้า ทุก คน ครับ เมื่อ คืน มี น้ำค้าง แข็ง ปกคลุม ทุ่ง นา และ เหมือน ที่ คุณ ยาย เคย พูด "
        "เรา หนาว ถึง กระดูก แต่ อบอุ่น ใน หัวใจ แล้ว กา น้ำ ก็ เริ่ม ร้อง เพลง มี คน หัวเราะ และ วัน อัน ยาวนาน "
        "ก็ เริ่ม ขึ้น ใน ที่สุด"
    ),
}
_UNSPACED = ("ja", "zh", "th")


def said(script: str, repeats: int = 1, lane: str = "me") -> list[Word]:
    """The text, one word a quarter of a second; without spaces where a script has none."""
    spoken = words(" ".join([TEXTS[script]] * repeats), script)
    if script in _UNSPACED:
        spoken = [replace(word, text=word.text.strip()) for word in spoken]
    return [replace(word, lane=lane) for word in spoken]
