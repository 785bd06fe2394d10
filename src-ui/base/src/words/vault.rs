//! Backups, a new laptop from one, another key, and what is said of records that stay here for too long.

use super::{Both, W};

pairs! {
    BackupTitle = "Backup", "بیک اپ";
    BackupBody = "An encrypted copy of all records on a USB stick. It opens only with your recovery code or passphrase. Keep the stick and the code in two places.", "تمام ریکارڈ کی محفوظ نقل یو ایس بی پر۔ یہ صرف آپ کے بحالی کوڈ یا خفیہ جملے سے کھلتی ہے۔ یو ایس بی اور کوڈ الگ الگ جگہ رکھیں۔";
    BackupPlace = "Folder of the stick", "یو ایس بی کا فولڈر";
    BackupNow = "Back up now", "ابھی بیک اپ کریں";
    BackupLast = "Last backup: {0}", "آخری بیک اپ: {0}";
    BackupNever = "There is no backup of this laptop yet.", "اس لیپ ٹاپ کا ابھی کوئی بیک اپ نہیں۔";
    BackupCopying = "Copying. You can go on working.", "نقل ہو رہی ہے۔ آپ کام جاری رکھ سکتے ہیں۔";
    BackupChecking = "Reading back what was written", "لکھا ہوا واپس پڑھا جا رہا ہے";
    BackupDone = "The backup is there and was read back: {0}", "بیک اپ ہو گیا اور پڑھ کر جانچ لیا گیا: {0}";
    KeyBody = "If somebody may know more than they should, encrypt everything anew. Passphrases and recovery codes stay as they are.", "اگر کسی کو ضرورت سے زیادہ معلوم ہو تو سب کچھ نئی کنجی سے محفوظ کریں۔ خفیہ جملے اور بحالی کوڈ وہی رہیں گے۔";
    KeyChange = "Change the vault's key", "ریکارڈ کی کنجی بدلیں";
    KeyChanged = "The records are under a new key", "ریکارڈ اب نئی کنجی میں محفوظ ہیں";
    RestoreOpen = "My laptop was lost: restore a backup", "میرا لیپ ٹاپ گم ہو گیا: بیک اپ واپس لائیں";
    RestoreTitle = "Restore a backup", "بیک اپ واپس لائیں";
    RestoreBody = "Plug the stick in. This laptop takes its records and becomes a new laptop of your facility.", "یو ایس بی لگائیں۔ یہ لیپ ٹاپ اس کے ریکارڈ لے کر آپ کے مرکز کا نیا لیپ ٹاپ بن جائے گا۔";
    BackupPlaceHint = "No stick is seen. Plug one in, or type its folder.", "کوئی یو ایس بی نظر نہیں آتی۔ لگائیں یا اس کا فولڈر لکھیں۔";
    RestorePlaceHint = "Empty: every stick that is plugged in.", "خالی: ہر لگی ہوئی یو ایس بی۔";
    RestoreLook = "Look for backups", "بیک اپ تلاش کریں";
    RestoreThis = "Restore this one", "یہ واپس لائیں";
    RestoreCodeHint = "A new code from your operator. It needs the health exchange once.", "منتظم سے نیا کوڈ لیں۔ ایک بار مرکزی سرور سے رابطہ ضروری ہے۔";
    RestoreGiven = "Recovery code or passphrase of the lost laptop", "گم شدہ لیپ ٹاپ کا بحالی کوڈ یا خفیہ جملہ";
    RestoreNow = "Restore", "واپس لائیں";
    RestoreDoing = "Copying and checking every record. This can take some minutes.", "ہر ریکارڈ نقل اور جانچا جا رہا ہے۔ چند منٹ لگ سکتے ہیں۔";
    ErrBackupNone = "No backup here", "یہاں کوئی بیک اپ نہیں";
    ErrBackupNoneBody = "Nothing was changed. Look for the folder whose name begins with rabta-backup.", "کچھ نہیں بدلا۔ وہ فولڈر تلاش کریں جس کا نام rabta-backup سے شروع ہوتا ہے۔";
    ErrBackupNewer = "This backup is of a newer Rabta", "یہ بیک اپ نئے ورژن کا ہے";
    ErrBackupNewerBody = "Nothing was changed. Install the newer version here first.", "کچھ نہیں بدلا۔ پہلے یہاں نیا ورژن لگائیں۔";
    ErrBackupDamaged = "This backup is not whole", "یہ بیک اپ مکمل نہیں";
    ErrBackupDamagedBody = "Nothing was changed. Try the other backup on the stick, or another stick.", "کچھ نہیں بدلا۔ یو ایس بی پر دوسرا بیک اپ یا دوسری یو ایس بی آزمائیں۔";
    ErrBackupPlace = "Nothing can be written there", "وہاں لکھا نہیں جا سکتا";
    ErrBackupPlaceBody = "All records are safe here. Is the stick plugged in, and is the folder right?", "تمام ریکارڈ یہاں محفوظ ہیں۔ کیا یو ایس بی لگی ہے اور فولڈر درست ہے؟";
    ErrBackupFull = "The stick is full", "یو ایس بی میں جگہ نہیں";
    ErrBackupFullBody = "No backup was made. Earlier ones are still there. Make room or take another stick.", "بیک اپ نہیں بنا۔ پہلے والے موجود ہیں۔ جگہ بنائیں یا دوسری یو ایس بی لیں۔";
    ErrBackupBack = "The stick does not give back what was written", "یو ایس بی لکھا ہوا درست واپس نہیں دیتی";
    ErrBackupBackBody = "It is not kept as a backup. Take another stick.", "اسے بیک اپ نہیں مانا گیا۔ دوسری یو ایس بی لیں۔";
    ErrBackupSecret = "This does not open the backup", "اس سے بیک اپ نہیں کھلتا";
    ErrBackupSecretBody = "Nothing was changed. Type the recovery code, or the passphrase that you had when the backup was made.", "کچھ نہیں بدلا۔ بحالی کوڈ یا وہ خفیہ جملہ لکھیں جو بیک اپ کے وقت تھا۔";
    ErrOtherPerson = "The code is for somebody else", "یہ کوڈ کسی اور کا ہے";
    ErrOtherPersonBody = "Ask the operator for a code for you, whose recovery code or passphrase opens this backup.", "منتظم سے اپنا کوڈ لیں، اسی شخص کا جس کا بحالی کوڈ یا جملہ یہ بیک اپ کھولتا ہے۔";
    ErrKeySame = "They are removed, the key is the old one", "انہیں ہٹا دیا گیا، کنجی پرانی ہے";
    ErrKeySameBody = "Make room on the disk, then press Change the vault's key.", "ڈسک پر جگہ بنائیں، پھر ریکارڈ کی کنجی بدلیں دبائیں۔";
    CopiedTitle = "These records were copied to another laptop, and both went on", "یہ ریکارڈ دوسرے لیپ ٹاپ پر نقل ہوئے اور دونوں پر کام ہوا";
    CopiedBody = "Nothing is lost: what was written is here and kept. New records stay on this laptop only until it starts anew. Make a backup, and call your operator for a code.", "کچھ ضائع نہیں ہوا: لکھا ہوا یہاں محفوظ ہے۔ نئے سرے سے شروع کرنے تک نئے ریکارڈ صرف اسی لیپ ٹاپ پر ہیں۔ بیک اپ بنائیں اور کوڈ کے لیے منتظم کو فون کریں۔";
    AnewTitle = "Start anew as a new laptop", "نئے لیپ ٹاپ کے طور پر دوبارہ شروع کریں";
    AnewBody = "All records stay here. Colleagues of this laptop join again with their own codes.", "تمام ریکارڈ یہیں رہیں گے۔ اس لیپ ٹاپ کے ساتھی اپنے کوڈ سے دوبارہ شامل ہوں گے۔";
    WaitsTitle = "{1} records have been on this laptop only, for {0} days", "{1} ریکارڈ {0} دن سے صرف اسی لیپ ٹاپ پر ہیں";
    WaitsBody = "Connect to the internet when you can, and back up to a stick until then.", "جب ممکن ہو انٹرنیٹ سے جوڑیں، تب تک یو ایس بی پر بیک اپ رکھیں۔";
    WaitsSee = "See what waits", "دیکھیں کیا باقی ہے";
    HandOver = "Write a file for the operator", "منتظم کے لیے فائل بنائیں";
    HandOverBody = "Some records here are of a laptop that is out of service. The operator can take them from a file that nobody else reads.", "یہاں کچھ ریکارڈ بند کیے گئے لیپ ٹاپ کے ہیں۔ منتظم انہیں ایسی فائل سے لے سکتا ہے جو کوئی اور نہیں پڑھ سکتا۔";
    HandedOverTo = "Give this file to the operator: {0}", "یہ فائل منتظم کو دیں: {0}";
    HelpRestore1 = "A backup is a folder on a stick whose name begins with rabta-backup. It stays as it is.", "بیک اپ یو ایس بی پر وہ فولڈر ہے جس کا نام rabta-backup سے شروع ہوتا ہے۔ وہ ویسا ہی رہتا ہے۔";
    HelpRestore2 = "Call your operator for a code: it makes this laptop known in place of the lost one.", "منتظم سے کوڈ لیں: اس سے یہ لیپ ٹاپ گم شدہ کی جگہ پہچانا جائے گا۔";
}
