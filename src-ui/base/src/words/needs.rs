//! What needs a person: details of which two values stand, and records that the health exchange refused; what waits, and
//! how old what is shown is.

use super::{Both, W};

pairs! {
    DiffersTitle = "Two values: choose", "دو باتیں درج ہیں: ایک چنیں";
    DiffersBody = "Two people wrote these details without knowing of each other. Both are kept until you choose. Ask the patient; if neither is right, correct the details.", "دو افراد نے ایک دوسرے سے بے خبر یہ تفصیل لکھی۔ آپ کے چننے تک دونوں محفوظ ہیں۔ مریض سے پوچھیں؛ کوئی درست نہ ہو تو تفصیل درست کریں۔";
    DiffersSave = "These are right", "یہی درست ہیں";
    WhyAfter = "Waits for a record that was refused", "رد کیے گئے ریکارڈ کا انتظار ہے";
    WhyCall = "Waits until the call is over", "کال ختم ہونے کا انتظار ہے";
    WhyNoLink = "Waits for a link", "رابطے کا انتظار ہے";
    WhyNext = "Goes next", "اب بھیجا جائے گا";
    WhyReplaced = "Was refused; a corrected record took its place", "رد ہوا تھا؛ درست ریکارڈ نے جگہ لے لی";
    TagSeenTo = "Seen to", "دیکھ لیا گیا";
    SyncNextTry = "Next try: {0}", "اگلی کوشش: {0}";
    SyncBytes = "Waiting to be sent: {0}", "بھیجنا باقی: {0}";
    SyncUsed = "Data used this month: sent {0}, received {1}", "اس مہینے کا ڈیٹا: بھیجا {0}، ملا {1}";
    RefusedRole = "Your role does not allow this over there. Ask a colleague who may sign it, or your operator.", "آپ کے عہدے کو اس کی اجازت نہیں۔ مجاز ساتھی یا منتظم سے کہیں۔";
    RefusedPatient = "The health exchange does not know this patient as one of yours.", "مرکزی سرور اس مریض کو آپ کا نہیں مانتا۔";
    RefusedContent = "Something that is written in it was not taken. See below, correct it and sign it anew.", "اس میں لکھی کوئی بات قبول نہیں ہوئی۔ نیچے دیکھیں، درست کریں اور دوبارہ دستخط کریں۔";
    RefusedOther = "The health exchange did not take it. It is safe here.", "مرکزی سرور نے اسے نہیں لیا۔ یہ یہاں محفوظ ہے۔";
    WaitForIt = "Records that wait for it: {0}.", "اس کے انتظار میں ریکارڈ: {0}۔";
    RefusedCorrect = "Correct and sign anew", "درست کر کے دوبارہ دستخط کریں";
    RefusedAgain = "Send again as it is", "ویسے ہی دوبارہ بھیجیں";
    RefusedKeep = "Keep it here only", "صرف یہیں رکھیں";
    SourceHere = "here", "یہیں";
    SourceOther = "elsewhere", "کہیں اور";
}
