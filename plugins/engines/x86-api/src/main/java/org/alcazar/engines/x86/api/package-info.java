/**
 * The x86 architecture as everybody outside the engine sees it: register groups and their saved
 * form, control bits, and intercept bits. Names and numbers follow the AMD64 Architecture
 * Programmer's Manual (APM), volumes 2 and 3.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.api;
