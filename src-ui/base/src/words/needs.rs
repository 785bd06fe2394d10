//! What needs a person: details of which two values stand, and records that the health exchange refused; what waits, and
//! how old what is shown is.

use super::{Both, W};

pairs! {
    DiffersTitle = "Two values: choose", "دو باتیں درج ہیں: ایک چنیں";
    DiffersBody = "Two people wrote these details without knowing of each other. Both are kept until you choose. Ask the patient.", "دو افراد نے ایک دوسرے سے بے خبر یہ تفصیل لکھی۔ آپ کے چننے تک دونوں محفوظ ہیں۔ مریض سے پوچھیں۔";
    DiffersSave = "These are right", "یہی درست ہیں";
    DiffersOther = "Neither is right: correct details", "کوئی درست نہیں: تفصیل درست کریں";
    DiffersDone = "Chosen. Everybody sees it so.", "چن لیا گیا۔ اب سب کو یہی نظر آئے گا۔";
    DiffersNothing = "nothing written", "کچھ نہیں لکھا";
    DiffersHere = "on this laptop", "اس لیپ ٹاپ پر";
    DiffersThere = "on another laptop", "دوسرے لیپ ٹاپ پر";
    WhyAfter = "Waits for a record that was refused", "رد کیے گئے ریکارڈ کا انتظار ہے";
    WhyCall = "Waits until the call is over", "کال ختم ہونے کا انتظار ہے";
    WhyNoLink = "Waits for a link", "رابطے کا انتظار ہے";
    WhyStopped = "Waits: nothing can be sent now", "انتظار: ابھی کچھ نہیں بھیجا جا سکتا";
    WhyNext = "Goes next", "اب بھیجا جائے گا";
    WhyReplaced = "Was refused. A corrected record has taken its place.", "رد ہوا تھا۔ درست ریکارڈ نے اس کی جگہ لے لی۔";
    WhyKept = "Was refused and stays on this laptop", "رد ہوا تھا اور اسی لیپ ٹاپ پر رہے گا";
    TagSeenTo = "Seen to", "دیکھ لیا گیا";
    SyncNextTry = "Next try: {0}", "اگلی کوشش: {0}";
    SyncBytes = "Waiting to be sent: {0}", "بھیجنا باقی: {0}";
    SyncUsed = "Data used this month: sent {0}, received {1}", "اس مہینے کا ڈیٹا: بھیجا {0}، ملا {1}";
    RefusedRole = "Your role does not allow this over there. Ask a colleague who may sign it, or your operator.", "آپ کے عہدے کو اس کی اجازت نہیں۔ مجاز ساتھی یا منتظم سے کہیں۔";
    RefusedPatient = "The health exchange does not know this patient as one of yours.", "مرکزی سرور اس مریض کو آپ کا نہیں مانتا۔";
    RefusedContent = "Something that is written in it was not taken. See below, correct it and sign it anew.", "اس میں لکھی کوئی بات قبول نہیں ہوئی۔ نیچے دیکھیں، درست کریں اور دوبارہ دستخط کریں۔";
    RefusedOther = "The health exchange did not take it. It is safe here.", "مرکزی سرور نے اسے نہیں لیا۔ یہ یہاں محفوظ ہے۔";
    OneWaitsForIt = "One record waits for it", "ایک ریکارڈ اس کے انتظار میں ہے";
    WaitForIt = "{0} records wait for it", "{0} ریکارڈ اس کے انتظار میں ہیں";
    RefusedCorrect = "Correct and sign anew", "درست کر کے دوبارہ دستخط کریں";
    RefusedAgain = "Send again as it is", "ویسے ہی دوبارہ بھیجیں";
    RefusedKeep = "Keep it here only", "صرف یہیں رکھیں";
    AsOf = "Others' records as of {0}", "دوسروں کے ریکارڈ: {0} تک";
    AsOfNever = "Others' records were never fetched here", "دوسروں کے ریکارڈ یہاں کبھی نہیں آئے";
    SourceHere = "here", "یہیں";
    SourceOther = "elsewhere", "کہیں اور";
    MonthsAgo = "{0} months ago", "{0} ماہ پہلے";
    YearsAgo = "{0} years ago", "{0} سال پہلے";
}
