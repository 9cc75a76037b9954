/**
 * What answering machines say and people do not, by language. Matched against text in lower case, without accents, marks and
 * double spaces. `sure`: no person says it when picking up; `likely`: a person might ("he is not available"), so it counts
 * together with length alone.
 */

export interface MachinePhrases {
  readonly sure: readonly RegExp[]
  readonly likely: readonly RegExp[]
}

/** By primary language tag. */
export const MACHINE_PHRASES: Readonly<Record<string, MachinePhrases>> = {
  en: {
    sure: [
      /\bleave (me |us )?(a|your) (short |brief |detailed )?(message|name)/,
      /\b(after|at|following) the (beep|tone|signal)\b/,
      /\bvoice ?mail( box)?\b/,
      /\b(mailbox|inbox) (is full|of|belonging)/,
      /\bforwarded to an? (automated|automatic|voice)/,
      /\brecord your message\b/,
      /\byou(ve| have) reached the (voice|mail|phone of)/,
    ],
    likely: [
      /\b(is|am|are|im) (not|un) ?available\b/,
      /\b(cant|cannot|unable to|not able to) (come to|take|answer|get to)\b/,
      /\bthe (person|number|customer|subscriber) you (are|have|were|called|dialed)/,
      /\byou(ve| have) reached\b/,
      /\b(get|call) (back to )?you (back )?as soon as\b/,
    ],
  },
  de: {
    sure: [
      /\bnach dem (signalton|piepton|pfeifton|ton|piep|signal|beep)\b/,
      /\bhinterlass(en|t|e)? (sie )?(mir |uns |bitte )*(eine |ihre |deine )?(kurze )?(nachricht|mitteilung)/,
      /\b(anrufbeantworter|mobilbox|sprachbox)\b/,
      /\bmailbox (von|der|des)\b/,
      /\bsprechen sie (bitte )?(ihre )?(nachricht|nach)/,
    ],
    likely: [
      /\b(zurzeit|momentan|im moment|derzeit|gerade|voruber?gehend) (leider )?nicht (erreichbar|zu erreichen|da|verfugbar)/,
      /\bgewunschte (gesprachspartner|teilnehmer|rufnummer)/,
      /\brufe? (sie |dich )?(so bald|sobald|schnellstmoglich|baldmoglichst)/,
    ],
  },
  fr: {
    sure: [
      /\blaisse[rz]?(-| )?(moi |nous )?(un|votre|ton) (petit |bref )?message\b/,
      /\bapres le (bip|signal)/,
      /\b(messagerie|repondeur|boite vocale)\b/,
    ],
    likely: [
      /\b(pas|in) ?disponible (pour le moment|actuellement)?/,
      /\b(ne peu[xt] pas|ne pouvons pas) (vous |te )?(repondre|prendre)/,
      /\bvotre correspondant\b/,
      /\bvous etes bien (sur|au)\b/,
    ],
  },
  es: {
    sure: [
      /\bdej[ea](nos|me)? (su|tu|un) (breve )?(mensaje|recado)/,
      /\bdespues de(l| la| oir la| escuchar el)? (tono|senal|bip|pitido)/,
      /\b(buzon|contestador|correo) (de voz|automatico)\b/,
    ],
    likely: [
      /\bno (esta|estoy|se encuentra) disponible\b/,
      /\bno (puedo|podemos|puede) (atender|contestar)/,
      /\bel (numero|abonado|cliente) (que|al que)\b/,
      /\bse ha comunicado (con|al)\b/,
    ],
  },
  it: {
    sure: [
      /\blascia(te|mi|re)? (pure )?(un|il tuo|il vostro|il suo) messaggio\b/,
      /\bdopo il (segnale|bip|tono)/,
      /\bsegreteria telefonica\b/,
    ],
    likely: [
      /\bnon (e|sono) (al momento |attualmente )?(raggiungibile|disponibile)/,
      /\b(il cliente|l utente) (da lei )?chiamato/,
    ],
  },
  pt: {
    sure: [
      /\bdeix[ea] (a sua |o seu |sua |seu |uma? )?(mensagem|recado)/,
      /\bapos o (sinal|bip|tom)/,
      /\b(caixa postal|correio de voz|caixa de mensagens)\b/,
    ],
    likely: [
      /\bnao (esta|estou) disponivel\b/,
      /\bo (numero|cliente) (que|chamado)/,
      /\bnao (posso|podemos|pode) atender/,
    ],
  },
  nl: {
    sure: [
      /\bna de (piep|toon|pieptoon|bieptoon)/,
      /\b(laat|spreek) (dan |even |hier )?(een |uw |je )?(bericht|boodschap)/,
      /\b(voicemail|antwoordapparaat)\b/,
    ],
    likely: [/\b(niet|on)( |)bereikbaar\b/, /\bkan (uw|je|de) (oproep|telefoon) (nu )?niet/],
  },
  pl: {
    sure: [
      /\b(zostaw|prosze zostawic|nagraj) (krotka )?wiadomosc/,
      /\bpo (sygnale|uslyszeniu sygnalu)/,
      /\bpoczt[ay] glosow/,
    ],
    likely: [/\babonent (jest )?(czasowo )?niedostepny/, /\bnie moge (teraz )?odebrac/],
  },
  ja: {
    sure: [/留守番電話/, /(発信音|ピー).{0,10}(後|あと)に/, /(メッセージ|伝言|ご用件)をお(話し|残し|預かり)/],
    likely: [/電話に出(る|られ)/, /おかけになった電話/],
  },
  zh: {
    sure: [
      /(语音信箱|語音信箱|留言信箱)/,
      /(提示音|嘟|滴).{0,6}(后|後|声).{0,6}(留言|录音|錄音)/,
      /请(在|您)?.{0,10}留言/,
    ],
    likely: [/(您|你)(所)?拨打的/, /(无法接听|無法接聽|暂时无法)/],
  },
}

/** Lower case; without accents, apostrophes and marks. */
export function plainWords(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .normalize('NFC')
    .replace(/ß/g, 'ss')
    .replace(/ł/g, 'l')
    .replace(/[’'`]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}
