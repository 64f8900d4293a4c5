/** The portable host: guest memory, threads, clock, files and consoles out of an ordinary JVM. */
@org.jspecify.annotations.NullMarked
package org.alcazar.hosts.jvm;
