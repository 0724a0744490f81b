/* Role `hearth bundle`: looks at a bundle file and says what it is.
 *
 *   hearth bundle info [--keys FOLDER] FILE     what is in it, and who signed it
 *   hearth bundle verify [--keys FOLDER] FILE   reads all of it: signature, layout, the sum of every
 *                                               member, the hash tree, each block of the image, each
 *                                               piece of the kernel
 *
 * Keys are those of this system (PATH_UPDATE_KEYS) or of FOLDER. A manifest that nobody signed is not shown. Exit
 * codes: base/exit.h. */
#ifndef HEARTH_UPDATE_BUNDLE_H
#define HEARTH_UPDATE_BUNDLE_H

int bundle_main(int argc, char **argv);

#endif
