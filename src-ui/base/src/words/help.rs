//! Help beside each page: what it is for, what its marks mean, what to do when something is not as it should be.

use super::{Both, W};

pairs! {
    HelpOpen = "Help", "مدد";
    HelpClose = "Close help", "مدد بند کریں";
    KeyHelp = "Help on this page", "اس صفحے کی مدد";
    HelpKeys = "Ctrl+K finds a patient, Ctrl+L locks the screen, F1 opens and Esc closes this help.",
        "Ctrl+K مریض تلاش کرتا ہے، Ctrl+L اسکرین لاک کرتا ہے، F1 یہ مدد کھولتا اور Esc بند کرتا ہے۔";

    HelpToday1 = "What waits for you: asks and answers first, then visits that you began, then promised follow-ups.",
        "جو آپ کا منتظر ہے: پہلے مشورے اور جواب، پھر ادھورے معائنے، پھر وعدہ کیے گئے دوبارہ معائنے۔";
    HelpToday2 = "Red is an emergency, amber is urgent; the word beside the color says the same.",
        "سرخ ہنگامی ہے، زرد فوری؛ رنگ کے ساتھ لکھا لفظ یہی بتاتا ہے۔";
    HelpToday3 = "A draft is yours alone until you sign it. Nothing that you typed is lost when you leave it.",
        "دستخط تک ادھورا معائنہ صرف آپ کا ہے۔ چھوڑنے سے لکھا ہوا ضائع نہیں ہوتا۔";

    HelpFind1 = "Type any part: a name in either script, a father's or husband's name, a phone, an identity card or MR number, a village.",
        "کوئی بھی حصہ لکھیں: کسی بھی رسم الخط میں نام، والد یا شوہر کا نام، فون، شناختی کارڈ یا ایم آر نمبر، گاؤں۔";
    HelpFind2 = "Spelling does not matter much: Aisha also finds Ayesha. Compare the second line before you open.",
        "ہجے زیادہ اہم نہیں: Aisha سے Ayesha بھی ملتی ہے۔ کھولنے سے پہلے دوسری سطر ملائیں۔";
    HelpFind3 = "The arrows choose, Enter opens the chart, Ctrl+Enter begins a visit at once.",
        "تیر سے چنیں، Enter سے ریکارڈ کھلتا ہے، Ctrl+Enter سے فوراً معائنہ شروع ہوتا ہے۔";
    HelpFind4 = "Not there? Register: what you typed is kept.", "نہیں ملا؟ درج کریں: لکھا ہوا نام ساتھ جاتا ہے۔";

    HelpRegister1 = "One name, a sex, an age as it is told, a village: the rest can come later.",
        "ایک نام، جنس، بتائی گئی عمر، گاؤں: باقی بعد میں آ سکتا ہے۔";
    HelpRegister2 = "An age that nobody knows exactly is marked with ~. Say by which event it was guessed.",
        "جو عمر ٹھیک معلوم نہ ہو اس پر ~ لگتا ہے۔ بتائیں کس واقعے سے اندازہ لگایا۔";
    HelpRegister3 = "If somebody alike is here already, you are asked before a second record is made.",
        "ملتا جلتا مریض پہلے سے ہو تو دوسرا ریکارڈ بنانے سے پہلے پوچھا جاتا ہے۔";
    HelpRegister4 = "A phone is called only where you say that it is safe for the patient.",
        "فون صرف وہاں کیا جاتا ہے جہاں آپ بتائیں کہ مریض کے لیے محفوظ ہے۔";

    HelpPatient1 = "Everything known of this patient, the newest first. The band above says whose record it is, on every page.",
        "اس مریض کا سب معلوم ریکارڈ، تازہ ترین پہلے۔ اوپر کی پٹی ہر صفحے پر بتاتی ہے کہ ریکارڈ کس کا ہے۔";
    HelpPatient2 = "\"Records: here\" says how old our view of other clinics' records is.",
        "اوپر لکھا ہے کہ دوسرے کلینکوں کے ریکارڈ کی ہماری نقل کتنی پرانی ہے۔";
    HelpPatient3 = "Saved here, At the HIE, Seen by the specialist: where each visit is by now.",
        "یہاں محفوظ، مرکز میں محفوظ، ماہر نے دیکھ لیا: ہر معائنہ اب کہاں ہے۔";
    HelpPatient4 = "A signed visit cannot be changed; open it and correct it, and both versions are kept.",
        "دستخط شدہ معائنہ بدل نہیں سکتا؛ کھول کر درست کریں، دونوں رہتے ہیں۔";

    HelpVisit1 = "Write in the order in which you ask. Every key is saved; the word above says so.",
        "جس ترتیب سے پوچھتے ہیں اسی سے لکھیں۔ ہر حرف محفوظ ہوتا ہے؛ اوپر کا لفظ یہی بتاتا ہے۔";
    HelpVisit2 = "Enter goes to the next field, Ctrl+Enter checks the page. A dose is typed as you write it: 1+0+1, BD, TDS.",
        "Enter اگلے خانے میں لے جاتا ہے، Ctrl+Enter صفحہ جانچتا ہے۔ خوراک ویسے لکھیں جیسے لکھتے ہیں: 1+0+1، BD، TDS۔";
    HelpVisit3 = "Amber values are unusual for this age, red ones dangerous. A medicine that clashes with an allergy stops and asks.",
        "زرد پیمائش اس عمر کے لیے غیر معمولی ہے، سرخ خطرناک۔ الرجی سے ٹکراتی دوا رک کر پوچھتی ہے۔";
    HelpVisit4 = "A template fills only what is empty. One press below Medicines repeats the last ones or those that you order often.",
        "سانچہ صرف خالی جگہ بھرتا ہے۔ دواؤں کے نیچے ایک دباؤ سے پچھلی یا اکثر لکھی دوائیں آ جاتی ہیں۔";
    HelpVisit5 = "Not saved? The disk may be full. Leave this page open: it tries again by itself.",
        "محفوظ نہیں ہوا؟ شاید ڈسک بھر گئی ہے۔ صفحہ کھلا رہنے دیں: خود دوبارہ کوشش کرتا ہے۔";

    HelpPage1 = "This is what the specialist and the next doctor will see. Read it once before you sign.",
        "ماہر اور اگلے ڈاکٹر یہی دیکھیں گے۔ دستخط سے پہلے ایک بار پڑھیں۔";
    HelpPage2 = "A red line stops the signature, an amber one only wants a look. Press a line to go to its field.",
        "سرخ سطر دستخط روکتی ہے، زرد صرف توجہ چاہتی ہے۔ سطر دبائیں تو اس کے خانے پر جاتے ہیں۔";
    HelpPage3 = "Sign and print does both with the paper that you used last. Prescription lets you choose.",
        "دستخط اور پرنٹ دونوں کرتا ہے، پچھلی بار کے کاغذ پر۔ نسخہ دبا کر کاغذ چن سکتے ہیں۔";
    HelpPage4 = "The square on the paper proves who signed it; anybody can check it on the Me page.",
        "کاغذ پر مربع ثابت کرتا ہے کہ دستخط کس کے ہیں؛ میرا صفحہ پر اسے جانچا جا سکتا ہے۔";

    HelpAsk1 = "First the patient's yes, as they gave it. A no is recorded as well, and nothing is sent.",
        "پہلے مریض کی ہاں، جیسے انہوں نے دی۔ نہیں بھی درج ہوتی ہے، اور کچھ نہیں بھیجا جاتا۔";
    HelpAsk2 = "The urgency says in what time somebody answers. If nobody does, it goes to the next on duty by itself.",
        "فوری ضرورت بتاتی ہے کہ کتنی دیر میں جواب آئے گا۔ کوئی نہ دے تو خود اگلے ڈیوٹی والے کو جاتا ہے۔";
    HelpAsk3 = "Below is exactly what is sent, nothing more. Without a network it waits here and goes first.",
        "نیچے بالکل وہی ہے جو بھیجا جائے گا۔ نیٹ ورک نہ ہو تو یہاں رکتا ہے اور سب سے پہلے جاتا ہے۔";

    HelpAsks1 = "All asks, with whom each is and how long it waits. A dot marks what you have not opened.",
        "سب مشورے، کس کے پاس ہیں اور کب سے منتظر۔ نہ کھولے ہوئے پر نشان ہے۔";
    HelpAsks2 = "Seen means that the specialist opened it and signed for that.",
        "دیکھ لیا کا مطلب ہے کہ ماہر نے کھولا اور اس پر دستخط کیے۔";
    HelpAsks3 = "No one answers? Refer now: the telephone number is on the case.", "کوئی جواب نہیں دیتا؟ ابھی ریفر کریں: فون نمبر کیس پر ہے۔";

    HelpCase1 = "The question stands on top, what is abnormal comes first, photos open when pressed.",
        "سوال سب سے اوپر ہے، غیر معمولی باتیں پہلے، تصویریں دبانے پر کھلتی ہیں۔";
    HelpCase2 = "Call when both are there; else write. What is written here belongs to the record.",
        "دونوں موجود ہوں تو کال کریں؛ ورنہ لکھیں۔ یہاں لکھا ہوا ریکارڈ کا حصہ ہے۔";
    HelpCase3 = "A specialist's medicines are proposals: accept, change or decline each, then sign. Where nobody may prescribe they are orders.",
        "ماہر کی دوائیں تجاویز ہیں: ہر ایک کو قبول کریں، بدلیں یا رد کریں، پھر دستخط۔ جہاں کوئی تجویز نہ کر سکے وہاں یہ حکم ہیں۔";
    HelpCase4 = "At the end say that you explained it to the patient, then that it is done.",
        "آخر میں بتائیں کہ مریض کو سمجھا دیا، پھر یہ کہ کام مکمل ہوا۔";

    HelpAdvice1 = "Saved as you type. What you sign goes to the clinic at once, or when the link is back.",
        "لکھتے ہوئے محفوظ ہوتا ہے۔ دستخط کرتے ہی کلینک کو جاتا ہے، یا رابطہ آنے پر۔";
    HelpAdvice2 = "Write doses as on paper; the words below say how the patient will read them.",
        "خوراک کاغذ کی طرح لکھیں؛ نیچے کے الفاظ بتاتے ہیں کہ مریض کیسے پڑھے گا۔";
    HelpAdvice3 = "Say when to come back at once: the patient hears it in their language.",
        "بتائیں کب فوراً واپس آنا ہے: مریض اپنی زبان میں سنے گا۔";

    HelpCall1 = "The record stays beside the picture; you can go on writing.", "ریکارڈ تصویر کے ساتھ رہتا ہے؛ آپ لکھتے رہ سکتے ہیں۔";
    HelpCall2 = "Weak link: the picture goes off first, so that the voice stays clear. It comes back by itself.",
        "کمزور رابطہ: پہلے تصویر بند ہوتی ہے تاکہ آواز صاف رہے۔ خود واپس آتی ہے۔";
    HelpCall3 = "M mutes, V turns the camera off, S takes a still, C writes, Ctrl+E ends. The call is not recorded.",
        "M آواز بند، V کیمرا بند، S تصویر لے، C لکھیں، Ctrl+E ختم۔ کال ریکارڈ نہیں ہوتی۔";

    HelpPhone1 = "A link opens one call on the patient's phone. It holds no illness and no name.",
        "لنک مریض کے فون پر ایک کال کھولتا ہے۔ اس میں نہ بیماری ہے نہ نام۔";
    HelpPhone2 = "The patient chooses a word; only who knows it comes in. Check name and birth year aloud before anything else.",
        "مریض ایک لفظ چنتا ہے؛ جسے معلوم ہو وہی آتا ہے۔ سب سے پہلے نام اور پیدائش کا سال زبانی ملائیں۔";
    HelpPhone3 = "Another browser asks to come in? It is often the same phone: allow it only if you hear the patient.",
        "کوئی اور براؤزر آنا چاہے؟ اکثر وہی فون ہوتا ہے: اجازت تب دیں جب مریض کی آواز سنیں۔";

    HelpSync1 = "What is only on this laptop, and what waits. It is sent by itself whenever there is a link.",
        "کیا صرف اس لیپ ٹاپ پر ہے، اور کیا منتظر ہے۔ رابطہ ہوتے ہی خود بھیجا جاتا ہے۔";
    HelpSync2 = "Needs you: the exchange refused something and says why. It is kept here; nothing is lost.",
        "آپ کی ضرورت ہے: مرکز نے کچھ رد کیا اور وجہ بتائی۔ یہ یہاں محفوظ ہے؛ کچھ ضائع نہیں ہوا۔";
    HelpSync3 = "A wrong clock is said here. Set it: times on paper are the laptop's.", "غلط گھڑی یہاں بتائی جاتی ہے۔ اسے درست کریں: کاغذ پر وقت لیپ ٹاپ کا ہوتا ہے۔";

    HelpMe1 = "Lock the screen when you turn away: your PIN opens it. Lock the records at the end of the shift.",
        "ہٹتے وقت اسکرین لاک کریں: پن سے کھلتی ہے۔ شفٹ کے آخر میں ریکارڈ لاک کریں۔";
    HelpMe2 = "Hand over to a colleague instead of sharing a passphrase: each signs with their own name.",
        "خفیہ جملہ بانٹنے کے بجائے ساتھی کو سونپیں: ہر ایک اپنے نام سے دستخط کرتا ہے۔";
    HelpMe3 = "Forgotten passphrase: at the unlock page choose the recovery code that you wrote down.",
        "خفیہ جملہ بھول گئے: کھولنے کے صفحے پر لکھا ہوا بحالی کوڈ چنیں۔";
    HelpMe4 = "Laptop lost or stolen? Telephone the operator at once: they take it out of service.",
        "لیپ ٹاپ گم یا چوری؟ فوراً آپریٹر کو فون کریں: وہ اسے بند کر دیں گے۔";

    HelpLanguage1 = "You can change the language later, at the top of every page.", "زبان بعد میں ہر صفحے کے اوپر سے بدلی جا سکتی ہے۔";

    HelpCode1 = "The code comes from whoever runs your health exchange, on paper or by telephone. It works once.",
        "کوڈ آپ کے صحت مرکز کے آپریٹر سے ملتا ہے، کاغذ پر یا فون سے۔ یہ ایک بار چلتا ہے۔";
    HelpCode2 = "This page needs a network, for a minute. Afterward the work goes on without one.",
        "اس صفحے کو ایک منٹ کے لیے نیٹ ورک چاہیے۔ اس کے بعد کام نیٹ ورک کے بغیر چلتا ہے۔";
    HelpCode3 = "No code yet? Practice below: invented patients, and nothing leaves this laptop.",
        "ابھی کوڈ نہیں؟ نیچے مشق کریں: فرضی مریض، اور کچھ اس لیپ ٹاپ سے باہر نہیں جاتا۔";

    HelpConfirm1 = "Your records are signed with this name. If it or the facility is wrong, go back and ask for another code.",
        "آپ کے ریکارڈ پر اسی نام سے دستخط ہوں گے۔ نام یا مرکز غلط ہو تو واپس جائیں اور دوسرا کوڈ مانگیں۔";

    HelpPassphrase1 = "Several words that you remember and nobody would guess. They open the records on this laptop.",
        "کئی لفظ جو آپ کو یاد رہیں اور کوئی بوجھ نہ سکے۔ یہی اس لیپ ٹاپ کے ریکارڈ کھولتے ہیں۔";
    HelpPassphrase2 = "Nobody can send them to you again, not even the operator. A recovery code on paper is for when you forget them.",
        "انہیں کوئی دوبارہ نہیں بھیج سکتا، آپریٹر بھی نہیں۔ بھولنے کے لیے کاغذ پر بحالی کوڈ ہے۔";

    HelpPin1 = "The PIN shows the screen again after a short absence. The passphrase opens the records in the morning.",
        "پن تھوڑی دیر بعد اسکرین دوبارہ دکھاتا ہے۔ صبح ریکارڈ خفیہ جملے سے کھلتے ہیں۔";
    HelpPin2 = "After five wrong PINs the passphrase is asked. Nothing is lost by that.",
        "پانچ غلط پن کے بعد خفیہ جملہ پوچھا جاتا ہے۔ اس سے کچھ ضائع نہیں ہوتا۔";

    HelpRecovery1 = "Write the code on paper by hand, and keep the paper away from this laptop.",
        "کوڈ ہاتھ سے کاغذ پر لکھیں، اور کاغذ کو اس لیپ ٹاپ سے الگ رکھیں۔";
    HelpRecovery2 = "Without passphrase and code nobody opens these records, also no thief.",
        "خفیہ جملے اور کوڈ کے بغیر یہ ریکارڈ کوئی نہیں کھول سکتا، چور بھی نہیں۔";

    HelpPull1 = "Your facility's patients come to this laptop, those of the last days first.",
        "آپ کے مرکز کے مریض اس لیپ ٹاپ پر آ رہے ہیں، پچھلے دنوں کے پہلے۔";
    HelpPull2 = "You need not wait: begin, and it goes on beside your work. A line that breaks goes on where it was.",
        "انتظار ضروری نہیں: کام شروع کریں، یہ ساتھ چلتا رہے گا۔ ٹوٹا رابطہ وہیں سے جاری ہوتا ہے۔";

    HelpUnlock1 = "Choose your name and type your passphrase. Wrong tries delete nothing.",
        "اپنا نام چنیں اور خفیہ جملہ لکھیں۔ غلط کوشش سے کچھ نہیں مٹتا۔";
    HelpUnlock2 = "Forgotten? The recovery code on paper opens the records and lets you choose a new passphrase.",
        "بھول گئے؟ کاغذ والا بحالی کوڈ ریکارڈ کھولتا ہے اور نیا خفیہ جملہ چننے دیتا ہے۔";

    HelpScreen1 = "The records are open but hidden. The PIN brings you back to where you were; what you typed is there.",
        "ریکارڈ کھلے ہیں مگر چھپے ہیں۔ پن وہیں واپس لاتا ہے جہاں آپ تھے؛ لکھا ہوا محفوظ ہے۔";
    HelpScreen2 = "Somebody else at work? They take over with their own name, and sign with it.",
        "کوئی اور کام کر رہا ہے؟ وہ اپنے نام سے سنبھالے، اور اسی سے دستخط کرے۔";

    HelpReopen1 = "Type the recovery code as it stands on your paper, then choose a new passphrase.",
        "بحالی کوڈ ویسے ہی لکھیں جیسے کاغذ پر ہے، پھر نیا خفیہ جملہ چنیں۔";
    HelpReopen2 = "The paper stays good afterward: put it back where it was.",
        "کاغذ بعد میں بھی کارآمد ہے: اسے واپس وہیں رکھ دیں۔";

    HelpSwitch1 = "Who works now signs now. The PIN is enough for who gave the passphrase since the records were opened.",
        "جو کام کرے وہی دستخط کرے۔ جس نے ریکارڈ کھلنے کے بعد خفیہ جملہ دیا ہو اس کے لیے پن کافی ہے۔";
    HelpSwitch2 = "A new colleague joins on the Me page, with a code of their own.",
        "نیا ساتھی میرا صفحہ سے اپنے کوڈ کے ساتھ شامل ہوتا ہے۔";

    HelpLease1 = "A laptop that has not reached the health exchange for many days of work asks for a code, so that a lost one shuts itself.",
        "جو لیپ ٹاپ کام کے کئی دن مرکز تک نہ پہنچے وہ کوڈ مانگتا ہے، تاکہ گم شدہ لیپ ٹاپ خود بند ہو۔";
    HelpLease2 = "Telephone the operator and read out the number and the letters. Nothing is deleted meanwhile.",
        "آپریٹر کو فون کر کے نمبر اور حروف پڑھ کر سنائیں۔ اس دوران کچھ نہیں مٹتا۔";

    HelpRevoked1 = "The operator took this laptop out of service, as for a lost one. The records stay here, locked.",
        "آپریٹر نے یہ لیپ ٹاپ بند کیا ہے، جیسے گم شدہ ہو۔ ریکارڈ یہیں بند پڑے ہیں۔";
    HelpRevoked2 = "What was not sent goes into a file that only the health exchange can read: give it to the operator.",
        "جو نہیں بھیجا گیا وہ ایک فائل میں جاتا ہے جسے صرف مرکز پڑھ سکتا ہے: آپریٹر کو دیں۔";

    HelpBroken1 = "Nothing was changed or deleted. Do not install anew: telephone whoever looks after the computer.",
        "کچھ بدلا یا مٹایا نہیں گیا۔ دوبارہ انسٹال نہ کریں: کمپیوٹر سنبھالنے والے کو فون کریں۔";
    HelpBroken2 = "The folder below holds the records: a copy of it can be looked at elsewhere.",
        "نیچے والے فولڈر میں ریکارڈ ہیں: اس کی نقل کہیں اور دیکھی جا سکتی ہے۔";
}
