//! A clinic without a line: records carried on a stick.

use super::{Both, W};

pairs! {
    StickTitle = "Without internet: a stick", "انٹرنیٹ کے بغیر: یو ایس بی";
    StickBody = "Plug a stick in and press. What waits here goes onto it. At any laptop with internet the same press brings it to the health exchange and the answer back. Nobody on the way can read it.", "یو ایس بی لگائیں اور دبائیں۔ جو یہاں باقی ہے اس پر چلا جائے گا۔ انٹرنیٹ والے کسی بھی لیپ ٹاپ پر یہی بٹن اسے مرکزی سرور تک پہنچاتا اور جواب لاتا ہے۔ راستے میں کوئی اسے پڑھ نہیں سکتا۔";
    StickUse = "Use the stick", "یو ایس بی استعمال کریں";
    StickTaken = "The stick brought an answer: {0} of your records are at the health exchange, {1} changes came.", "یو ایس بی جواب لائی: آپ کے {0} ریکارڈ مرکزی سرور پر ہیں، {1} تبدیلیاں آئیں۔";
    StickRefused = "{0} were refused: see what waits below.", "{0} قبول نہیں ہوئے: نیچے دیکھیں۔";
    StickCarried = "Brought to the health exchange for {0} other laptops. Give the stick back: their answers are on it.", "{0} دوسرے لیپ ٹاپ کے ریکارڈ مرکزی سرور تک پہنچ گئے۔ یو ایس بی واپس دیں: ان کے جواب اس پر ہیں۔";
    StickWaiting = "Records of {0} other laptops stay on the stick until it comes to internet.", "{0} دوسرے لیپ ٹاپ کے ریکارڈ انٹرنیٹ ملنے تک یو ایس بی پر رہیں گے۔";
    StickWritten = "{0} records are on the stick, {1} of them visits. Give it to somebody who goes where there is internet. They count as sent when the answer is back.", "{0} ریکارڈ یو ایس بی پر ہیں، ان میں {1} معائنے۔ اسے انٹرنیٹ والی جگہ جانے والے کو دیں۔ جواب واپس آنے پر ہی بھیجے ہوئے شمار ہوں گے۔";
    StickMore = "Not all of it went on; the rest goes with the next round.", "سب نہیں آ سکا؛ باقی اگلی بار جائے گا۔";
    StickNothing = "Nothing waits here and nothing was on the stick.", "یہاں کچھ باقی نہیں اور یو ایس بی پر بھی کچھ نہ تھا۔";
    StickDamaged = "A file on the stick was cut off or changed, or is of another health exchange. It was left there; nothing is lost.", "یو ایس بی پر ایک فائل ادھوری یا بدلی ہوئی ہے، یا کسی اور مرکزی سرور کی ہے۔ اسے چھیڑا نہیں گیا؛ کچھ ضائع نہیں ہوا۔";
    StickGap = "The answer on the stick is for an earlier state of this laptop. Send the stick once more.", "یو ایس بی کا جواب اس لیپ ٹاپ کی پرانی حالت کا ہے۔ یو ایس بی ایک بار پھر بھیجیں۔";
    StickUnknown = "Records of a laptop that this health exchange does not know stay on the stick.", "ایسے لیپ ٹاپ کے ریکارڈ یو ایس بی پر رہے جسے یہ مرکزی سرور نہیں جانتا۔";
    StickRevoked = "Records of a laptop that is out of service stay on the stick: give it to the operator.", "بند کیے گئے لیپ ٹاپ کے ریکارڈ یو ایس بی پر رہے: اسے منتظم کو دیں۔";
    StickOther = "The health exchange did not take a file of the stick. It was left there.", "مرکزی سرور نے یو ایس بی کی ایک فائل نہیں لی۔ اسے چھیڑا نہیں گیا۔";
    NearbyTitle = "Laptops on this Wi-Fi", "اس وائی فائی پر لیپ ٹاپ";
    NearbyBody = "While the health exchange cannot be reached, records go to this clinic's other laptops on the same Wi-Fi, and theirs come here. Nobody else can read them. They still wait to be sent.", "جب مرکزی سرور تک رسائی نہ ہو تو ریکارڈ اسی وائی فائی پر اس کلینک کے دوسرے لیپ ٹاپ کو ملتے ہیں اور ان کے یہاں آتے ہیں۔ کوئی اور نہیں پڑھ سکتا۔ بھیجنا پھر بھی باقی رہتا ہے۔";
    NearbyOn = "Share with this clinic's laptops", "اس کلینک کے لیپ ٹاپ سے بانٹیں";
    NearbyNobody = "None was met yet. Turn it on there, too.", "ابھی کوئی نہیں ملا۔ وہاں بھی یہ آن کریں۔";
    NearbyMet = "{0}, {1}: {2} records given, {3} received", "{0}، {1}: {2} ریکارڈ دیے، {3} ملے";
    NearbyFailed = "There is no network here to look in.", "یہاں کوئی نیٹ ورک نہیں۔";
    CustodyClinic = "On this clinic's laptops only", "صرف اس کلینک کے لیپ ٹاپ پر";
    SyncApart = "{0} records of others could not be believed and are kept apart. Tell the operator.", "دوسروں کے {0} ریکارڈ قابلِ یقین نہیں تھے، الگ رکھے گئے۔ منتظم کو بتائیں۔";
    ErrHieUnreadable = "The health exchange's answer cannot be read", "مرکزی سرور کا جواب پڑھا نہیں جا سکتا";
    ErrHieUnreadableBody = "All records are safe here, and what can be sent is sent. Tell the operator: the server may be faulty, or newer than this laptop.", "تمام ریکارڈ یہاں محفوظ ہیں اور جو بھیجا جا سکتا ہے بھیجا جا رہا ہے۔ منتظم کو بتائیں: سرور میں خرابی ہو سکتی ہے، یا وہ اس لیپ ٹاپ سے نیا ہے۔";
    ErrStickPlace = "There is no stick that can be written to", "ایسی کوئی یو ایس بی نہیں جس پر لکھا جا سکے";
    ErrStickPlaceBody = "All records are safe here. Is the stick plugged in, and is the folder right?", "تمام ریکارڈ یہاں محفوظ ہیں۔ کیا یو ایس بی لگی ہے اور فولڈر درست ہے؟";
    ErrStickFull = "The stick is full", "یو ایس بی میں جگہ نہیں";
    ErrStickFullBody = "All records are safe here. Make room on the stick or take another one.", "تمام ریکارڈ یہاں محفوظ ہیں۔ یو ایس بی پر جگہ بنائیں یا دوسری لیں۔";
}
