"""Long work, in a process of its own: what waits, who takes it, what became of it.

A task is declared by `django_tasks.task`, the interface that Django 6 has built in, and waits as a
row of django-tasks-db, in the transaction that asked for it:

    @task
    def run_import(import_id: str) -> None: ...

    run_import.enqueue(made.public_id)

It takes public ids of ours and nothing else (`backend`). It may be begun again at any moment, when
its worker was killed (`worker`): what it did is what it committed, and it goes on from there.
"""
