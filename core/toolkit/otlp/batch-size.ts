/** Records of a batch that is decoded in steps: a pipeline does its work on a whole one in one go. */
export const MAX_BATCH = 1_024
/** A batch of large records ends before: by its messages, and its bytes by 64. */
export const MAX_BATCH_WEIGHT = 32_768
