import { discardAttachments } from './relayed-end.js'

/** What a wire within this program brings: a frame, or that the other side has closed. */
export type WireEvent =
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly attachments: readonly object[] | undefined }
  | 'close'

/** Nobody is there to take it. */
export function dropEvent(event: WireEvent): void {
  if (event !== 'close') discardAttachments(event.attachments)
}
