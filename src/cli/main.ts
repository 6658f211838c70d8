/** Entry of the `fairway` command. */
process.stdout.write('fairway\n');
