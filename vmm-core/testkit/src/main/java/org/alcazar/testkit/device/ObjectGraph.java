package org.alcazar.testkit.device;

import org.alcazar.vmm.GuestTimer;
import org.jspecify.annotations.Nullable;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The objects that a device's model consists of: those of its own classes that can be reached from
 * it, with arrays, collections and timers between them. What belongs to its surroundings (clock,
 * wires, counters, lambdas) ends the walk.
 */
final class ObjectGraph {
    private final Object root;
    private final Predicate<Class<?>> model;

    /**
     * @param model which classes are the device's own
     */
    ObjectGraph(Object root, Predicate<Class<?>> model) {
        this.root = root;
        this.model = model;
    }

    /** A field of an object of the model. */
    record Place(Object owner, Field field) {
        String name() {
            return ObjectGraph.name(field);
        }

        Object get() {
            return Objects.requireNonNull(ObjectGraph.get(field, owner));
        }

        void set(Object value) {
            try {
                field.set(owner, value);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException("cannot set " + name(), e);
            }
        }
    }

    /** Fields that can be assigned and hold a number or a truth value. */
    List<Place> assignable() {
        List<Place> out = new ArrayList<>();
        for (Object owner : objects()) {
            for (Field field : fields(owner.getClass())) {
                if (field.getType().isPrimitive() && !Modifier.isFinal(field.getModifiers())) {
                    out.add(new Place(owner, field));
                }
            }
        }
        return out;
    }

    /** Names of all fields, {@code Class.field}. */
    Set<String> names() {
        Set<String> out = new TreeSet<>();
        for (Object owner : objects()) {
            fields(owner.getClass()).forEach(field -> out.add(name(field)));
        }
        return out;
    }

    private Set<Object> objects() {
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Object> own = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Object> open = new ArrayDeque<>();
        open.add(root);
        while (!open.isEmpty()) {
            Object next = open.remove();
            if (!seen.add(next)) {
                continue;
            }
            Optional<List<Object>> elements = elements(next);
            if (elements.isPresent()) {
                open.addAll(elements.get());
            } else if (isOwn(next)) {
                own.add(next);
                for (Field field : fields(next.getClass())) {
                    Object value = field.getType().isPrimitive() ? null : get(field, next);
                    if (value != null) {
                        open.add(value);
                    }
                }
            }
        }
        return own;
    }

    private boolean isOwn(Object object) {
        Class<?> type = object.getClass();
        return !type.isHidden() && !type.isEnum() && model.test(type);
    }

    /** Fields, {@code Class.field}, in which two graphs differ, each with the two values. */
    static List<String> differences(ObjectGraph a, ObjectGraph b, Set<String> exempt) {
        Comparison comparison = new Comparison(a, exempt);
        comparison.compare("device", a.root, b.root);
        return comparison.found;
    }

    private static final class Comparison {
        private final ObjectGraph graph;
        private final Set<String> exempt;
        private final IdentityHashMap<Object, Object> seen = new IdentityHashMap<>();
        private final List<String> found = new ArrayList<>();

        Comparison(ObjectGraph graph, Set<String> exempt) {
            this.graph = graph;
            this.exempt = exempt;
        }

        void compare(String where, @Nullable Object a, @Nullable Object b) {
            if (a == null || b == null) {
                check(where, a, b, a == b);
            } else if (seen.put(a, b) == null) {
                compareObjects(where, a, b);
            }
        }

        private void compareObjects(String where, Object a, Object b) {
            Optional<List<Object>> these = elements(a);
            if (a.getClass() != b.getClass()) {
                check(where, a.getClass(), b.getClass(), false);
            } else if (these.isPresent()) {
                compareLists(where, these.get(), elements(b).orElse(List.of()));
            } else if (a instanceof GuestTimer timer) {
                compareTimers(where, timer, (GuestTimer) b);
            } else if (graph.isOwn(a)) {
                for (Field field : fields(a.getClass())) {
                    if (!exempt.contains(name(field))) {
                        compare(name(field), get(field, a), get(field, b));
                    }
                }
            } else if (isValue(a)) {
                check(where, a, b, a.equals(b));
            }
        }

        private void compareLists(String where, List<Object> a, List<Object> b) {
            if (a.size() != b.size()) {
                check(where, a.size() + " elements", b.size() + " elements", false);
                return;
            }
            for (int i = 0; i < a.size(); i++) {
                compare(where, a.get(i), b.get(i));
            }
        }

        private void compareTimers(String where, GuestTimer a, GuestTimer b) {
            check(where, armed(a), armed(b), a.armed() == b.armed());
            if (a.armed() && b.armed()) {
                long at = ManualClock.deadline(a);
                check(where, armed(a), armed(b), at == ManualClock.deadline(b));
            }
        }

        private static String armed(GuestTimer timer) {
            return timer.armed() ? "armed for " + ManualClock.deadline(timer) : "not armed";
        }

        private void check(String where, @Nullable Object a, @Nullable Object b, boolean same) {
            if (!same) {
                found.add(where + ": " + a + ", and " + b);
            }
        }
    }

    private static boolean isValue(Object object) {
        return object instanceof Number
                || object instanceof Boolean
                || object instanceof Character
                || object instanceof CharSequence
                || object instanceof Enum<?>;
    }

    /** What arrays, collections, maps and optionals hold. */
    private static Optional<List<Object>> elements(Object object) {
        List<Object> out = new ArrayList<>();
        switch (object) {
            case Collection<?> collection -> out.addAll(collection);
            case Map<?, ?> map ->
                    map.forEach((key, value) -> {
                        out.add(key);
                        out.add(value);
                    });
            case Optional<?> optional -> optional.ifPresent(out::add);
            case Object array when array.getClass().isArray() -> {
                for (int i = 0; i < Array.getLength(array); i++) {
                    Object element = Array.get(array, i);
                    out.add(Objects.requireNonNullElse(element, "nothing"));
                }
            }
            default -> {
                return Optional.empty();
            }
        }
        return Optional.of(out);
    }

    private static List<Field> fields(Class<?> type) {
        List<Field> out = new ArrayList<>();
        for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic()) {
                    field.setAccessible(true);
                    out.add(field);
                }
            }
        }
        return out;
    }

    private static String name(Field field) {
        return field.getDeclaringClass().getSimpleName() + "." + field.getName();
    }

    private static @Nullable Object get(Field field, Object owner) {
        try {
            return field.get(owner);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("cannot read " + name(field), e);
        }
    }
}
