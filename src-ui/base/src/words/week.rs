//! A clinic's first week: people and secrets at a laptop, the lease, papers, what is ordered again, the guided first visit.

use super::{Both, W};

pairs! {
    // People at this laptop
    PeopleAtWork = "At work now", "ابھی کام پر";
    PeopleRemove = "Remove {0}", "{0} کو ہٹائیں";
    PeopleRemoveTitle = "Remove {0} from this laptop?", "{0} کو اس لیپ ٹاپ سے ہٹا دیں؟";
    PeopleRemoveBody = "Their passphrase, PIN and recovery code stop opening this laptop at once. Everything that they signed stays in the record, and drafts that they left can be finished by others. To come back they need a new joining code from the operator.",
        "ان کا خفیہ جملہ، پن اور بحالی کوڈ فوراً اس لیپ ٹاپ کو کھولنا بند کر دیں گے۔ جس پر انہوں نے دستخط کیے وہ سب ریکارڈ میں رہے گا، اور ان کے ادھورے معائنے دوسرے مکمل کر سکتے ہیں۔ واپس آنے کے لیے انہیں آپریٹر سے نیا شمولیت کوڈ چاہیے ہوگا۔";
    PeopleRemoved = "{0} can no longer open this laptop", "{0} اب یہ لیپ ٹاپ نہیں کھول سکتے";
    ErrLastPerson = "This is the last person at this laptop", "یہ اس لیپ ٹاپ پر آخری فرد ہیں";
    ErrLastPersonBody = "Without anybody its records could not be opened again. Let a colleague join first.",
        "کسی کے بغیر اس کا ریکارڈ دوبارہ نہیں کھل سکے گا۔ پہلے کسی ساتھی کو شامل کریں۔";

    // Passphrase and PIN
    SecretsTitle = "Your passphrase and PIN", "آپ کا خفیہ جملہ اور پن";
    SecretsPass = "Change the passphrase", "خفیہ جملہ بدلیں";
    SecretsPin = "Change the PIN", "پن بدلیں";
    SecretsOld = "Your passphrase now", "آپ کا موجودہ خفیہ جملہ";
    SecretsPassDone = "The new passphrase opens the records from now on", "اب سے نیا خفیہ جملہ ریکارڈ کھولے گا";
    SecretsPinDone = "The new PIN opens the screen from now on", "اب سے نیا پن اسکرین کھولے گا";

    // The lease
    LeaseHead = "Days without the health exchange", "مرکز کے بغیر دن";
    LeaseDays = "{0} days of use are left", "استعمال کے {0} دن باقی ہیں";
    LeaseOneDay = "One day of use is left", "استعمال کا ایک دن باقی ہے";
    LeaseSoon = "Connect soon", "جلد رابطہ کریں";
    LeaseMeans = "A day of use is eight hours with the records open. Each time the laptop reaches the health exchange it starts again at {0} days. At the end it shows no records until it reached the exchange or was given a code; nothing is deleted.",
        "استعمال کا ایک دن آٹھ گھنٹے ہے جب ریکارڈ کھلا ہو۔ مرکز سے ہر رابطے پر یہ دوبارہ {0} دن سے شروع ہوتا ہے۔ ختم ہونے پر ریکارڈ نہیں دکھایا جاتا جب تک مرکز سے رابطہ نہ ہو یا کوڈ نہ دیا جائے؛ کچھ مٹایا نہیں جاتا۔";
    LeaseByPhone = "More days by telephone", "فون پر مزید دن لیں";
    LeaseReadOut = "Telephone the person who runs your health exchange and read this out. You are told a code.",
        "جو آپ کا مرکز چلاتے ہیں انہیں فون کریں اور یہ پڑھ کر سنائیں۔ وہ آپ کو ایک کوڈ بتائیں گے۔";
    LeaseReadThis = "Read this out:", "یہ پڑھ کر سنائیں:";
    LeaseRenew = "Renew", "تجدید کریں";

    // Verifying a paper
    VerifyTitle = "Is a prescription genuine?", "کیا نسخہ اصلی ہے؟";
    VerifyCode = "The code from the paper", "کاغذ پر لکھا کوڈ";
    VerifyHint = "Scan the square with any phone and paste the text, or type it. It is checked on this laptop, without a network.",
        "کسی بھی فون سے مربع سکین کر کے متن یہاں چسپاں کریں، یا ٹائپ کریں۔ جانچ اسی لیپ ٹاپ پر، نیٹ ورک کے بغیر ہوتی ہے۔";
    VerifyNow = "Check the code", "کوڈ جانچیں";
    VerifySigner = "Signed by", "دستخط کنندہ";
    VerifyDay = "On", "تاریخ";
    VerifyMedicines = "{0} medicines ordered", "{0} دوائیں لکھی گئیں";
    VerifyOneMedicine = "One medicine ordered", "ایک دوا لکھی گئی";
    VerifyMany = "255 medicines or more", "255 یا زیادہ دوائیں";
    VerifyOpen = "Open the visit", "معائنہ کھولیں";
    VerifyGenuine = "Genuine", "اصلی";
    VerifyGenuineBody = "The signature holds. Compare the name, the day and the number of medicines with the paper in your hand: the code proves these, not what was written beside it.",
        "دستخط درست ہیں۔ نام، تاریخ اور دواؤں کی تعداد ہاتھ میں موجود کاغذ سے ملائیں: کوڈ انہی کو ثابت کرتا ہے، ساتھ لکھی باتوں کو نہیں۔";
    VerifyGenuineRevoked = "Genuine; the signer was withdrawn later", "اصلی؛ دستخط کنندہ بعد میں معطل ہوئے";
    VerifyGenuineRevokedBody = "The signature holds, but the signer's right was withdrawn on that day or later. Telephone them if in doubt.",
        "دستخط درست ہیں، مگر دستخط کنندہ کا حق اسی دن یا بعد میں واپس لیا گیا۔ شک ہو تو انہیں فون کریں۔";
    VerifyCorrected = "A newer version took its place", "اس کی جگہ نیا نسخہ آ چکا ہے";
    VerifyNotACode = "This is not a code of a prescription", "یہ نسخے کا کوڈ نہیں ہے";
    VerifyNotACodeBody = "It has another form. Scan the square on the paper again.", "اس کی شکل مختلف ہے۔ کاغذ پر مربع دوبارہ سکین کریں۔";
    VerifyMistyped = "A letter is wrong or missing", "کوئی حرف غلط یا غائب ہے";
    VerifyMistypedBody = "Compare it with the paper, letter by letter, or scan it.", "کاغذ سے ایک ایک حرف ملائیں، یا سکین کریں۔";
    VerifyNewer = "Made by a newer Rabta", "نئے رابطہ سے بنا ہے";
    VerifyNewerBody = "This laptop's program cannot read it yet. Update the program, or ask the health exchange.",
        "اس لیپ ٹاپ کا پروگرام ابھی اسے نہیں پڑھ سکتا۔ پروگرام نیا کریں، یا مرکز سے پوچھیں۔";
    VerifyUnknown = "The signer is not known here", "دستخط کنندہ یہاں معلوم نہیں";
    VerifyUnknownBody = "It may be genuine: this laptop has no certificate of who signed. The health exchange can check it.",
        "ہو سکتا ہے اصلی ہو: اس لیپ ٹاپ کے پاس دستخط کنندہ کی سند نہیں۔ مرکز اسے جانچ سکتا ہے۔";
    VerifyForged = "Changed, or not signed by this person", "بدلا گیا، یا اس فرد نے دستخط نہیں کیے";
    VerifyForgedBody = "The code does not fit its signature. Do not give medicines on this paper; telephone the clinic that it names.",
        "کوڈ اپنے دستخط سے میل نہیں کھاتا۔ اس کاغذ پر دوا نہ دیں؛ جس کلینک کا نام ہے اسے فون کریں۔";
    VerifyRevoked = "Signed by somebody who no longer may", "ایسے فرد کے دستخط جنہیں اب اجازت نہیں";
    VerifyRevokedBody = "The signer's right was withdrawn before the day on this paper. Do not give medicines on it.",
        "دستخط کنندہ کا حق اس کاغذ کی تاریخ سے پہلے واپس لیا گیا تھا۔ اس پر دوا نہ دیں۔";

    // Ordered again
    AgainLast = "Again as on {0}: {1}", "{0} کی دوائیں دوبارہ: {1}";
    AgainOften = "Often ordered by you", "آپ اکثر لکھتے ہیں";
    AgainChild = "For a child, or where the age is not known, the dose is left for you to write.",
        "بچے کے لیے، یا جہاں عمر معلوم نہ ہو، خوراک آپ خود لکھیں۔";
    AgainAdded = "Added: {0}. Read the doses.", "شامل: {0}۔ خوراکیں پڑھ لیں۔";
    SignAndPrint = "Sign and print", "دستخط اور پرنٹ";
    FindVisitKey = "visit at once", "فوراً معائنہ";

    // Decisions on a specialist's medicines
    DecideOrdered = "These are the specialist's own orders", "یہ ماہر ڈاکٹر کے اپنے احکامات ہیں";
    DecideOrderedBody = "Nobody who saw the patient may prescribe, so the specialist ordered. There is nothing to decide: the paper names who ordered.",
        "مریض کو دیکھنے والوں میں کوئی دوا تجویز نہیں کر سکتا، اس لیے ماہر نے حکم دیا۔ فیصلہ کرنے کو کچھ نہیں: کاغذ پر حکم دینے والے کا نام ہے۔";
    DecideOther = "Proposals: the doctor decides on them", "تجاویز: فیصلہ ڈاکٹر کریں گے";
    DecideOtherBody = "You may not prescribe. Until a doctor of this clinic has decided, none of these is ordered.",
        "آپ دوا تجویز نہیں کر سکتے۔ جب تک اس کلینک کے ڈاکٹر فیصلہ نہ کریں، ان میں سے کوئی حکم نہیں۔";
    AdviceOrders = "Medicines are your orders: nobody with the patient may prescribe. The paper will name you.",
        "یہ دوائیں آپ کا حکم ہیں: مریض کے پاس کوئی تجویز نہیں کر سکتا۔ کاغذ پر آپ کا نام ہوگا۔";

    // Practice and its guide
    PracticeChip = "Practice", "مشق";
    PracticeCard = "Practice", "مشق";
    PracticeCardBody = "Patients here are invented, and whatever you do stays here. Practice has no people, no lease and no way to the health exchange.",
        "یہاں کے مریض فرضی ہیں، اور آپ جو کریں یہیں رہتا ہے۔ مشق میں نہ لوگ ہیں، نہ معیاد، نہ مرکز تک راستہ۔";
    PracticeReset = "Begin practice anew", "مشق نئے سرے سے شروع کریں";
    GuideOpen = "Show me a first visit", "پہلا معائنہ دکھائیں";
    GuideName = "Your first visit", "آپ کا پہلا معائنہ";
    GuideLeave = "Leave the guide", "رہنمائی چھوڑیں";
    GuideSkip = "Skip this step", "یہ قدم چھوڑیں";
    GuideBack = "Back to that page", "اس صفحے پر واپس";
    GuideAgain = "Once more", "ایک بار پھر";
    GuideFind = "Find a patient: press Find and type Maryam Fatima, then press her name. A new patient is registered from the same page.",
        "مریض تلاش کریں: تلاش دبائیں اور مریم فاطمہ لکھیں، پھر ان کا نام دبائیں۔ نیا مریض بھی اسی صفحے سے درج ہوتا ہے۔";
    GuideStart = "This is the chart. Press Start visit.", "یہ مریض کا ریکارڈ ہے۔ معائنہ شروع کریں دبائیں۔";
    GuideDanger = "First the danger signs. Look and ask; where there is none, say so here.",
        "سب سے پہلے خطرے کی علامات۔ دیکھیں اور پوچھیں؛ کوئی نہ ہو تو یہاں بتائیں۔";
    GuideTemplate = "A template saves typing. Press Cough and cold, tick what you want, then Fill in. It can be taken back.",
        "سانچہ لکھنے سے بچاتا ہے۔ نزلہ، زکام، کھانسی دبائیں، جو چاہیے نشان لگائیں، پھر بھر دیں۔ اسے واپس لیا جا سکتا ہے۔";
    GuideAllergy = "Ask about allergies, and about pregnancy where it is shown: both before any medicine.",
        "الرجی پوچھیں، اور جہاں دکھایا جائے حمل بھی: دونوں ہر دوا سے پہلے۔";
    GuideVitals = "Write a value, for example the temperature. Its color says whether it is unusual for this age.",
        "کوئی پیمائش لکھیں، مثلاً بخار۔ رنگ بتاتا ہے کہ اس عمر کے لیے غیر معمولی تو نہیں۔";
    GuideCheck = "All was saved while you typed. Press Check and sign.", "لکھتے ہوئے سب محفوظ ہوتا گیا۔ دیکھیں اور دستخط کریں دبائیں۔";
    GuideSign = "Read the page. A red line stops the signature: press it to answer. Then sign.",
        "صفحہ پڑھیں۔ سرخ سطر دستخط روکتی ہے: جواب کے لیے اسے دبائیں۔ پھر دستخط کریں۔";
    GuidePrint = "Press Prescription, choose the paper and the patient's language, and print.",
        "نسخہ دبائیں، کاغذ اور مریض کی زبان چنیں، اور پرنٹ کریں۔";
    GuideAsk = "Need help? Press Ask a specialist. In practice nothing is sent.", "مدد چاہیے؟ ماہر ڈاکٹر سے مشورہ دبائیں۔ مشق میں کچھ نہیں بھیجا جاتا۔";
    GuideEnd = "That was a whole visit. Here the patient's consent, your question and the urgency are given. Practice as often as you like.",
        "یہ ایک مکمل معائنہ تھا۔ یہاں مریض کی رضامندی، آپ کا سوال اور فوری ضرورت لکھی جاتی ہے۔ جتنی بار چاہیں مشق کریں۔";
}
