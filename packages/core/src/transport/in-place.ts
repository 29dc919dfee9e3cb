/** The tag of messages that core copies out itself: a native pipe need not bring them to ordinary memory. */
export const IN_PLACE = 1
