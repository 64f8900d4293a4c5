/** See README.md. */
@org.jspecify.annotations.NullMarked
package ${package};
